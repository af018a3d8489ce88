import { CommanderError } from 'commander'
import { describe, expect, it } from 'vitest'
import { describeFailure } from '../../src/cli/failure.ts'
import { formatMs, formatNumber, formatShare } from '../../src/cli/quantity.ts'
import { formatPairs, formatTable } from '../../src/cli/table.ts'
import { errorTable, MillraceError, type MillraceErrorCode } from '../../src/errors.ts'

describe('a table', () => {
  it('aligns numbers to the right and words to the left', () => {
    const rows = [
      ['stage', 'rows', 'mean'],
      ['fast', '1,200', '0.5 ms (0.4 ms)'],
      ['accurate', '7', '-'],
    ]
    expect(formatTable(rows)).toBe(
      [
        'stage      rows             mean',
        'fast      1,200  0.5 ms (0.4 ms)',
        'accurate      7                -',
      ].join('\n'),
    )
  })

  it('has a heading even where there is nothing below it', () => {
    expect(formatTable([['stage', 'rows']])).toBe('stage  rows')
  })
})

it('pairs stand one below the other', () => {
  expect(
    formatPairs([
      ['rate', '150 /s'],
      ['requests', '9'],
    ]),
  ).toBe('rate      150 /s\nrequests  9')
})

describe('a quantity', () => {
  it.each([
    [0, '0.00'],
    [0.05, '0.0500'],
    [1.234, '1.23'],
    [12.34, '12.3'],
    [123.4, '123'],
    [1_234_567, '1,234,567'],
    [Number.NaN, '-'],
    [undefined, '-'],
  ])('of %s reads %s', (value, text) => {
    expect(formatNumber(value)).toBe(text)
  })

  it('carries its unit', () => {
    expect([formatMs(1.5), formatShare(0.9987)]).toEqual(['1.50 ms', '99.87 %'])
  })
})

describe('a failure', () => {
  const codes: Readonly<Partial<Record<MillraceErrorCode, number>>> = {
    MILLRACE_INVALID_OPTION: 2,
    MILLRACE_INVALID_FILE: 2,
    MILLRACE_INVALID_PIPELINE: 2,
    MILLRACE_INVALID_INPUT: 2,
    MILLRACE_INFEASIBLE: 3,
  }

  it.each(Object.keys(errorTable) as MillraceErrorCode[])('of %s has its exit code', (code) => {
    const error = new MillraceError({ code, message: 'x: y; z' })
    const failure = describeFailure(error, { name: 'millrace plan', trace: false })
    expect(failure).toEqual({ exitCode: codes[code] ?? 1, text: 'millrace plan: x: y; z' })
  })

  it.each([
    [new Error('gone'), { exitCode: 1, text: 'millrace: gone' }],
    [new TypeError(''), { exitCode: 1, text: 'millrace: TypeError' }],
    ['nonsense', { exitCode: 1, text: 'millrace: nonsense' }],
    [
      new CommanderError(
        1,
        'commander.unknownOption',
        "error: unknown option '--x'\n(Did you mean --y?)",
      ),
      { exitCode: 2, text: "millrace: unknown option '--x' (Did you mean --y?)" },
    ],
    [new CommanderError(0, 'commander.helpDisplayed', ''), { exitCode: 0, text: undefined }],
    [new CommanderError(1, 'commander.help', ''), { exitCode: 2, text: undefined }],
  ])('reads as one paragraph: %s', (error, expected) => {
    expect(describeFailure(error, { name: 'millrace', trace: false })).toEqual(expected)
  })
})
