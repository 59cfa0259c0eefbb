import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 30_000,
    reporters: ['default', './test/reporter.ts'],
    // Hashing is what takes time; more files at once than cores would only queue behind each other.
    maxWorkers: 2,
  },
})
