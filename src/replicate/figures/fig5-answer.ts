import type { Fig5Answer, Fig5Point } from './fig5-data.ts'

const objectiveShare = 0.99

/** What a system answered at a point, where it has a plan there. */
export function answerOf({ answers }: Fig5Point, system: string): Fig5Answer | undefined {
  return answers.find((answer) => answer.system === system && answer.costPerHour !== undefined)
}

export function isEnough(attainment: number | undefined): boolean {
  return (attainment ?? 0) >= objectiveShare
}

/** Whether it has enough in time on the fresh trace. */
export function meets({ attainment }: Fig5Answer): boolean {
  return isEnough(attainment)
}

export function costOf({ costPerHour = Number.NaN }: Fig5Answer): number {
  return costPerHour
}

export function nameOf({ pipeline, ratePerS, cv2 }: Fig5Point): string {
  return `${pipeline} at ${ratePerS}/s, cv2 ${cv2}`
}
