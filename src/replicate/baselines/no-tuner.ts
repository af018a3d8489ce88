import type { Control } from '../live-run.ts'

/** The plan stays as it is. */
export const noTuner: Control = () => {}
