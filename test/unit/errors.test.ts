import { readFileSync } from 'node:fs'
import { runInNewContext } from 'node:vm'
import { describe, expect, it, vi } from 'vitest'
import { errorTable, MillraceError } from '../../src/errors.ts'

const readme = readFileSync(new URL('../../src/README.md', import.meta.url), 'utf8')

describe('the error table', () => {
  it('is the one in src/README.md, row by row', () => {
    const rows = readme.split('\n').filter((line) => line.startsWith('| `MILLRACE_'))
    const documented = rows.map((row) => {
      const [code, status, meaning, remedy] = row
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim())
      return [code?.replaceAll('`', ''), { status: Number(status), meaning, remedy }]
    })
    expect(documented).toEqual(Object.entries(errorTable))
  })

  it('holds HTTP error statuses only', () => {
    for (const { status } of Object.values(errorTable)) {
      expect(status).toBeGreaterThanOrEqual(400)
      expect(status).toBeLessThan(600)
    }
  })

  it('cannot be changed', () => {
    expect(Object.isFrozen(errorTable)).toBe(true)
  })
})

describe('MillraceError', () => {
  it('takes its status from the table', () => {
    for (const [code, { status }] of Object.entries(errorTable)) {
      const error = new MillraceError({ code: code as keyof typeof errorTable, message: 'm' })
      expect(error).toMatchObject({ code, status, message: 'm', name: 'MillraceError' })
    }
  })

  it('carries a stage, a time to retry after and a cause', () => {
    const cause = new Error('inner')
    const options = { message: 'm', stage: 'fast', retryAfterMs: 12, cause } as const
    const error = new MillraceError({ code: 'MILLRACE_QUEUE_FULL', ...options })
    expect(error).toMatchObject(options)
    expect(error.cause).toBe(cause)
  })

  it('has no cause, stage or time where none is given', () => {
    const error = new MillraceError({ code: 'MILLRACE_CLOSED', message: 'm' })
    expect(Object.hasOwn(error, 'cause')).toBe(false)
    expect(error.stage).toBeUndefined()
    expect(error.retryAfterMs).toBeUndefined()
  })

  it('prints its name and message', () => {
    const error = new MillraceError({ code: 'MILLRACE_CLOSED', message: 'too late' })
    expect(String(error)).toBe('MillraceError: too late')
    expect(error.stack).toMatch(/errors\.test\.ts/)
  })

  it('is known across copies of the package', async () => {
    vi.resetModules()
    const copy = await import('../../src/errors.ts')
    const foreign = new copy.MillraceError({ code: 'MILLRACE_CLOSED', message: 'm' })
    expect(foreign).not.toBeInstanceOf(MillraceError)
    expect(MillraceError.is(foreign)).toBe(true)
  })

  it.each([
    undefined,
    null,
    'MillraceError',
    new Error('MILLRACE_CLOSED'),
    { code: 'MILLRACE_CLOSED' },
    runInNewContext('new Error("x")'),
  ])('is not %s', (value) => {
    expect(MillraceError.is(value)).toBe(false)
  })
})
