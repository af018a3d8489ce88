export interface Fig9Data {
  readonly latencyMs: number
  /** Of a request. */
  readonly images: number
  /** Threads that wanted to run on this machine in the minute before: of others. */
  readonly loadAverage: number
  readonly cores: number
  /** Empty where the models are not here. */
  readonly runs: readonly Fig9Run[]
}

export interface Fig9Run {
  /** Share of what the pipeline can do with a backlog. */
  readonly load: number
  readonly cv2: number
  readonly ratePerS: number
  readonly requests: number
  /** Requests sent more than 1 ms late. */
  readonly sentLate: number
  readonly estimated: Fig9Latencies
  readonly measured: Fig9Latencies
}

export interface Fig9Latencies {
  readonly p50Ms: number
  readonly p99Ms: number
  readonly attainment: number
}
