/**
 * C++ with comments, literals and preprocessor lines replaced by spaces. Lines stay where they are, so positions found in
 * the result are positions in the source.
 */
export function blankNonCode(source: string): string {
  const text = source.replace(/\r\n/g, '\n')
  const pattern = new RegExp(
    [
      String.raw`//(?:\\\n|[^\n])*`,
      String.raw`/\*[\s\S]*?\*/`,
      String.raw`\bu?8?[LuU]?R"([^()\s\\]{0,16})\([\s\S]*?\)\1"`,
      String.raw`"(?:\\[\s\S]|[^"\\\n])*"`,
      // Not the separator of digits, as in 1'000'000.
      String.raw`(?<![0-9a-fA-F])'(?:\\[\s\S]|[^'\\\n])+'`,
      String.raw`^[ \t]*#(?:\\\n|[^\n])*`,
    ].join('|'),
    'gm',
  )
  return text.replace(pattern, (match) => match.replace(/[^\n]/g, ' '))
}
