const longestTimerMs = 2 ** 31 - 1

/** Fulfils with the promise, or when the time is over. */
export async function withinMs(promise: Promise<void>, limitMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, Math.min(limitMs, longestTimerMs))
  })
  await Promise.race([promise, timeout])
  clearTimeout(timer)
}
