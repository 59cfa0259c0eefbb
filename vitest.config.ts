import { configDefaults, defineConfig } from 'vitest/config'
import { withoutBrowser } from './test/browser/chromium.ts'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: [...configDefaults.exclude, ...withoutBrowser(process.env, console.warn)],
    globalSetup: './test/postgres/setup.ts',
    testTimeout: 30_000,
    reporters: ['default', './test/reporter.ts'],
    // Hashing is what takes time; more files at once than cores would only queue behind each other.
    maxWorkers: 2,
  },
})
