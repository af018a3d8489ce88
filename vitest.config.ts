import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    // A crash in native code ends one worker process, not the whole run.
    pool: 'forks',
    include: ['test/**/*.test.ts'],
    exclude: ['test/stress/**', 'test/gpu/**'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
})
