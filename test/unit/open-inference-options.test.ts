import { describe, expect, it } from 'vitest'
import { openInference } from '../../src/index.ts'
import { errorOf } from './thrown.ts'

const engine = Promise.resolve() as never

describe('options of openInference', () => {
  it.each<[object, string]>([
    [{}, 'models: expected a plain object, got undefined'],
    [{ models: {} }, 'models: expected at least one, got none'],
    [{ models: { '': engine } }, 'models: expected names that are not empty'],
    [{ models: { a: 3 } }, 'models, "a": expected an engine or a promise of one, got the number 3'],
    [{ models: { a: engine }, maxBodyBytes: 0 }, 'maxBodyBytes: expected an integer at least 1'],
    [{ models: { a: engine }, bodyTimeoutMs: Number.POSITIVE_INFINITY }, 'bodyTimeoutMs: expected'],
    [{ models: { a: engine }, name: '' }, 'name: expected a string that is not empty'],
    [{ models: { a: engine }, onError: 1 }, 'onError: expected a function, got the number 1'],
    [{ model: {} }, 'openInference options: unknown key "model"; did you mean "models"?'],
  ])('%j are refused', (options, message) => {
    const error = errorOf(() => openInference(options as never))
    expect(error).toMatchObject({
      code: 'MILLRACE_INVALID_OPTION',
      message: expect.stringContaining(message),
    })
  })
})
