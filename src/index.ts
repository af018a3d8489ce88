/**
 * Serves pipelines of ONNX models and JavaScript functions inside Node.js, and keeps their latency objective. In the order
 * of use: describe a pipeline ({@link definePipeline}, {@link onnx}, {@link js}, {@link inline}), measure it
 * ({@link Profiler}), say when requests come ({@link Trace}), choose how it is run ({@link Planner}), serve it
 * ({@link Engine}), adapt it to traffic ({@link Tuner}), and show how it does ({@link observeMetrics}, {@link livePage}).
 * What goes wrong is a {@link MillraceError}.
 *
 * @module millrace
 */

export type { Clock } from './clock.ts'
export {
  type CpuDevice,
  type CudaDevice,
  type Device,
  type DeviceReport,
  devices,
  type ProviderState,
  type WebGpuDevice,
} from './devices/devices.ts'
export type { FaultReason, ProviderFault } from './devices/provider-fault.ts'
export type { AppliedPlan } from './engine/applied-plan.ts'
export type {
  ArrivalRecording,
  ArrivalWatch,
  RecordedArrivals,
  RecordOptions,
} from './engine/arrivals.ts'
export type { SwapOptions } from './engine/changes.ts'
export type { EngineState, ValueDescription } from './engine/described-values.ts'
export { Engine } from './engine/engine.ts'
export type { CloseOptions, EngineOptions, Overload } from './engine/engine-options.ts'
export type { EventMessage } from './engine/event-channels.ts'
export type { EngineEvents, EngineListener } from './engine/events.ts'
export type {
  EngineHistograms,
  Histogram,
  HistogramBounds,
  StageHistograms,
} from './engine/histograms.ts'
export type { InferMessage } from './engine/infer-channel.ts'
export type { InferOptions, Priority, TraceHeaders } from './engine/infer-options.ts'
export { type ReplayOptions, type ReplayProgress, replay } from './engine/replay.ts'
export type { ReplayReport, ReplayStage } from './engine/replay-report.ts'
export type {
  CacheStats,
  Distribution,
  EngineStats,
  RequestStats,
  StageStats,
} from './engine/stats.ts'
export type { RequestVisits, StageVisit, VisitBatch, VisitState } from './engine/visits.ts'
export {
  type ErrorEntry,
  errorTable,
  MillraceError,
  type MillraceErrorCode,
  type MillraceErrorOptions,
} from './errors.ts'
export type {
  Estimate,
  PlannedConfiguration,
  PlannedStage,
  StageEstimate,
} from './estimator/estimate.ts'
export { type EstimateOptions, Estimator, type EstimatorOptions } from './estimator/estimator.ts'
export { type JsonRoute, type JsonSchema, jsonRoute } from './http/json-route.ts'
export { type LivePage, livePage } from './http/live-page.ts'
export type { HttpHandler, HttpRequest, HttpResponse } from './http/message.ts'
export { type MetricsRouteOptions, metricsRoute } from './http/metrics-route.ts'
export { openInference } from './http/open-inference/open-inference.ts'
export type { OpenInferenceOptions } from './http/open-inference/open-inference-options.ts'
export {
  Attainment,
  type AttainmentOptions,
  type AttainmentReading,
  type CountedRequests,
  type WindowAttainment,
} from './observe/attainment.ts'
export { costPerHour, type Prices, type StaffedConfiguration } from './observe/cost-per-hour.ts'
export type { MeteredEngine } from './observe/engine-reading.ts'
export type { LiveOptions, WatchedEngine } from './observe/live-options.ts'
export type {
  LiveAttainment,
  LiveDistribution,
  LiveEdge,
  LiveEngine,
  LiveEvent,
  LiveGraph,
  LiveNode,
  LiveObjective,
  LiveOutcome,
  LivePlan,
  LivePlannedStage,
  LivePoint,
  LiveShare,
  LiveSnapshot,
  LiveStage,
  LiveTuning,
} from './observe/live-snapshot.ts'
export type {
  LiveEngineSource,
  LiveEstimateSource,
  LivePlanSource,
  LiveTunerSource,
  Subscribable,
} from './observe/live-source.ts'
export type { Labels } from './observe/metric-definition.ts'
export type { MetricRegistry } from './observe/metric-registry.ts'
export type { MetricsOptions } from './observe/metrics-options.ts'
export { type EngineMetrics, observeMetrics } from './observe/observe-metrics.ts'
export type { TracerProviderLike } from './observe/tracer-provider.ts'
export { type Tracing, type TracingOptions, traceEngine } from './observe/tracing.ts'
export type { Condition, ConditionTest, ConditionValue } from './pipeline/condition.ts'
export type {
  CompleteConfiguration,
  CompleteStageConfiguration,
  Configuration,
  StageConfiguration,
} from './pipeline/configuration.ts'
export { type CudaOptions, type CudaStage, cuda, type KernelLanguage } from './pipeline/cuda.ts'
export { definePipeline } from './pipeline/define-pipeline.ts'
export type { OutputDefinition, PipelineDefinition } from './pipeline/definition.ts'
export type {
  DeclaredInputs,
  DeclaredOutputs,
  FunctionOptions,
  InputDeclaration,
  ValueShape,
} from './pipeline/function-options.ts'
export { type InlineOptions, type InlineStage, inline } from './pipeline/inline.ts'
export { type JsOptions, type JsStage, js } from './pipeline/js.ts'
export type { ModelSource } from './pipeline/model-source.ts'
export type { ModelVariant, ModelVariantOptions, ModelVariants } from './pipeline/model-variants.ts'
export type { Objective, ObjectiveOptions } from './pipeline/objective.ts'
export { type OnnxOptions, type OnnxStage, onnx } from './pipeline/onnx.ts'
export type { InputPad, PadOptions, PadValue } from './pipeline/pad.ts'
export type {
  DefaultValue,
  InputsOf,
  OutputsOf,
  Pipeline,
  PipelineOutput,
  StagesOf,
} from './pipeline/pipeline.ts'
export type { ProviderOptions, Providers, StageProvider } from './pipeline/providers.ts'
export type { Candidates } from './pipeline/reference.ts'
export type { FunctionStage, Stage } from './pipeline/stage.ts'
export type {
  FunctionContext,
  FunctionInputs,
  FunctionOutputs,
  FunctionValue,
  StageFunction,
} from './pipeline/stage-function.ts'
export type { CacheOptions, StageCache, StageOptions } from './pipeline/stage-options.ts'
export { stagePipeline } from './pipeline/stage-pipeline.ts'
export type {
  Tensor,
  TensorData,
  TensorDataMap,
  TensorLike,
  TensorType,
} from './pipeline/tensor.ts'
export type { ProviderName } from './pipeline/tier.ts'
export type { FrontierOptions } from './planner/frontier.ts'
export {
  type BindingConstraint,
  InfeasibleError,
  type InfeasibleErrorOptions,
} from './planner/infeasible-error.ts'
export type { Plan, PlanLimits, PlanSearch, Strategy, Tuning } from './planner/plan.ts'
export {
  type ConfigurationFile,
  readConfiguration,
  readPlan,
  writePlan,
} from './planner/plan-file.ts'
export { Planner } from './planner/planner.ts'
export type { PlannerOptions, PlanOptions, PlanProgress } from './planner/question.ts'
export { checkProfile } from './profile/check-profile.ts'
export type { Hardware, Tier } from './profile/hardware.ts'
export type {
  ContentionPoint,
  ItemsProfile,
  MachineProfile,
  MeasuredWith,
  ModelProfile,
  OverheadProfile,
  PathProfile,
  Profile,
  ProfilePoint,
  SharingPoint,
  StageProfile,
  TierProfile,
  TimeSharingProfile,
} from './profile/profile.ts'
export type { ProfileProgress } from './profile/profile-progress.ts'
export { type ProfileRunOptions, Profiler, type ProfilerOptions } from './profile/profiler.ts'
export { checkHardware, defaultHardware, readHardware } from './profile/read-hardware.ts'
export { readProfile } from './profile/read-profile.ts'
export type { Samples } from './profile/sample-run.ts'
export { writeProfile } from './profile/write-profile.ts'
export type { ReplicaChange } from './tuner/decide.ts'
export type { TunedEngine } from './tuner/tuned-engine.ts'
export { Tuner } from './tuner/tuner.ts'
export type { TunerEvents, TunerListener } from './tuner/tuner-events.ts'
export type {
  LastingChange,
  Replan,
  TunerLimits,
  TunerMethod,
  TunerOptions,
} from './tuner/tuner-options.ts'
export type { TunerStats, TunerWindow } from './tuner/tuner-stats.ts'
export type { TunerTime } from './tuner/tuner-time.ts'
export { type EnvelopePoint, envelopeWindowsMs } from './workload/envelope.ts'
export type { RatePoint } from './workload/rate-curve.ts'
export { type TraceShape, traceShapes } from './workload/shapes.ts'
export { type SaveTraceOptions, Trace, type TraceOptions } from './workload/trace.ts'
export type {
  ArrivalOptions,
  GammaTraceOptions,
  RatesTraceOptions,
  ShapedTraceOptions,
} from './workload/trace-options.ts'
export type { TraceStats } from './workload/trace-stats.ts'
export type { TraceFormat } from './workload/trace-writer.ts'
