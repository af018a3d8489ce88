import type { MetricDefinition } from './metric-definition.ts'
import { requestMetrics } from './request-metrics.ts'
import { stageMetrics } from './stage-metrics.ts'

/** Every metric there is, in the order in which they are shown. */
export const metricDefinitions: readonly MetricDefinition[] = [...requestMetrics, ...stageMetrics]
