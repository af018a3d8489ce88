export interface Fig8Data {
  readonly durationMs: number
  /** What is not being changed. */
  readonly latencyMs: number
  readonly ratePerS: number
  readonly translationFactor: number
  readonly points: readonly Fig8Point[]
}

export interface Fig8Question {
  /** What is being changed. */
  readonly sweep: 'objective' | 'rate' | 'cv2' | 'translation'
  readonly latencyMs: number
  readonly ratePerS: number
  readonly cv2: number
  readonly translationFactor: number
}

export interface Fig8Point extends Fig8Question {
  readonly costPerHour?: number
  readonly configuration?: string
  /** Why there is no plan. */
  readonly refusal?: string
}
