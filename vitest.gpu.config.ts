import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    // A device that is lost is lost to a process: each file has its own.
    pool: 'forks',
    include: ['test/gpu/**/*.test.ts'],
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
})
