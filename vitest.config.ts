import { configDefaults, defineConfig } from 'vitest/config'
import { withoutBrowser } from './test/browser/chromium.ts'
import { leftOut } from './test/left_out.ts'

/** What both projects share. */
const shared = {
  testTimeout: 30_000,
  exclude: [
    ...configDefaults.exclude,
    ...withoutBrowser(process.env, console.warn),
    ...leftOut(process.env, console.warn),
  ],
}

export default defineConfig({
  test: {
    globalSetup: './test/postgres/setup.ts',
    reporters: ['default', './test/reporter.ts'],
    // Hashing is what takes time; more files at once than cores would only queue behind each other.
    maxWorkers: 2,
    projects: [
      { test: { ...shared, name: 'sqlite', include: ['test/**/*.test.ts'] } },
      {
        test: {
          ...shared,
          name: 'postgres',
          include: ['test/app/**/*.test.ts', 'test/features/**/*.test.ts', 'test/mail/**/*.test.ts'],
          // What is about HTTP alone, before anything is stored, and opens very many houses.
          exclude: [...shared.exclude, 'test/app/headers.test.ts', 'test/app/bodies.test.ts'],
          env: { TEST_STORE: 'postgres' },
        },
      },
    ],
  },
})
