import { MillraceError } from '../errors.ts'

/**
 * The package that draws, which is installed by whoever wants to see plots.
 *
 * @param neededBy What cannot be done without it, for the message.
 * @throws {MillraceError} MILLRACE_INVALID_OPTION where it is not installed.
 */
export async function loadEcharts(neededBy: string): Promise<typeof import('echarts')> {
  try {
    return await import('echarts')
  } catch (cause) {
    throw new MillraceError({
      code: 'MILLRACE_INVALID_OPTION',
      message: `${neededBy}: expected the package echarts, which draws, and it is not installed; run \`npm install echarts\``,
      cause,
    })
  }
}
