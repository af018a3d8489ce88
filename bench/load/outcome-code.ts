/** The name an error is counted under: its `code`, else the name of its class, else its type. */
export function outcomeCode(error: unknown): string {
  if (error === null || typeof error !== 'object') return typeof error
  if ('code' in error && typeof error.code === 'string') return error.code
  return error instanceof Error ? error.name : 'object'
}
