// Values of options, read from the text of the command line. Each returns a function for commander's argument parsers,
// which throws MILLRACE_INVALID_OPTION with the name of the option.
import { checkInteger, checkNumber, checkOneOf, type Range } from '../check.ts'
import { MillraceError } from '../errors.ts'

/** A finite number within the range. */
export function readNumber(name: string, range: Range = {}): (text: string) => number {
  return (text) => checkNumber(numberOf(text), { name, ...range })
}

/** An integer within the range. */
export function readInteger(name: string, range: Range = {}): (text: string) => number {
  return (text) => checkInteger(numberOf(text), { name, ...range })
}

/** One of a few words. */
export function readChoice<Choice extends string>(
  name: string,
  choices: readonly Choice[],
): (text: string) => Choice {
  return (text) => checkOneOf(text, { name, choices })
}

/** Words separated by commas. */
export function readList(name: string): (text: string) => readonly string[] {
  return (text) => {
    const words = text.split(',').map((word) => word.trim())
    if (words.every((word) => word !== '')) return words
    throw new MillraceError({
      code: 'MILLRACE_INVALID_OPTION',
      message: `${name}: expected names separated by commas, got ${JSON.stringify(text)}; leave no name empty`,
    })
  }
}

// What is no number stays a text, for the message. Number() alone would take '' for 0.
function numberOf(text: string): unknown {
  const value = text.trim() === '' ? Number.NaN : Number(text)
  return Number.isNaN(value) ? text : value
}
