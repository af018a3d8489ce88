import type { Figure } from './figure.ts'
import { accuracy } from './figures/accuracy.ts'
import { attribution } from './figures/attribution.ts'
import { fig3 } from './figures/fig3.ts'
import { fig5 } from './figures/fig5.ts'
import { fig6 } from './figures/fig6.ts'
import { fig7 } from './figures/fig7.ts'
import { fig8 } from './figures/fig8.ts'
import { fig9 } from './figures/fig9.ts'
import { sloSplit } from './figures/slo-split.ts'

/** All figures, in the order of the report. */
export const figures: readonly Figure[] = [
  fig3,
  fig5,
  fig6,
  fig7,
  fig8,
  fig9,
  attribution,
  sloSplit,
  accuracy,
]

export const figureNames: readonly string[] = figures.map(({ name }) => name)
