/** One row of {@link errorTable}. */
export interface ErrorEntry {
  /** HTTP status that a server should answer with, from 400 to 599. */
  readonly status: number
  /** What happened, as one sentence. */
  readonly meaning: string
  /** What whoever sees the error can do about it. */
  readonly remedy: string
}

/**
 * Every error Millrace reports: the one place where codes, HTTP statuses and advice are written
 * down. The union {@link MillraceErrorCode} is derived from it and a test keeps the table of
 * src/README.md equal to it.
 */
export const errorTable = Object.freeze({
  MILLRACE_QUEUE_FULL: {
    status: 503,
    meaning:
      'Too many rows are waiting, for the room there is or for the deadline; the request was refused at once.',
    remedy: 'Retry after `retryAfterMs`, add replicas, or raise the queue limit.',
  },
  MILLRACE_DEADLINE_EXCEEDED: {
    status: 504,
    meaning:
      'The deadline of the request passed, or could no longer be met, before its result was ready.',
    remedy: 'Allow a later deadline, send less, or add replicas.',
  },
  MILLRACE_CANCELLED: {
    status: 499,
    meaning: 'The caller aborted the request through its signal.',
    remedy: 'Nothing: the caller asked for it.',
  },
  MILLRACE_INVALID_INPUT: {
    status: 400,
    meaning:
      'The inputs of a request do not fit the pipeline: a name, type, shape or number of rows.',
    remedy: 'Send what the message says was expected.',
  },
  MILLRACE_INVALID_OPTION: {
    status: 500,
    meaning: 'An option has the wrong kind or lies outside its range, or its name is unknown.',
    remedy: 'Correct the option that the message names in the calling code.',
  },
  MILLRACE_INVALID_FILE: {
    status: 500,
    meaning:
      'A profile, hardware, trace or plan cannot be read, or does not say what its format asks for.',
    remedy: 'Correct the file at the place that the message names, or have it written anew.',
  },
  MILLRACE_INVALID_PIPELINE: {
    status: 500,
    meaning: 'A pipeline contradicts itself or its models.',
    remedy: 'Correct the definition at the place that the message names.',
  },
  MILLRACE_MODEL_LOAD: {
    status: 500,
    meaning: 'A model could not be read, or ONNX Runtime refused it.',
    remedy: 'Check the path, and that ONNX Runtime can run the model by itself.',
  },
  MILLRACE_NATIVE_LOAD: {
    status: 500,
    meaning: 'The native addon or the ONNX Runtime library could not be loaded.',
    remedy: 'Reinstall for this platform, or build the addon from source.',
  },
  MILLRACE_DEVICE_UNAVAILABLE: {
    status: 500,
    meaning: 'A stage is to run on hardware that this process cannot use, and names no fallback.',
    remedy: 'Install what the message names, or list a fallback; `devices()` says what there is.',
  },
  MILLRACE_STAGE_FAILED: {
    status: 500,
    meaning: 'A stage failed while it ran, or its module could not be opened.',
    remedy: 'See `stage` and the message for the stage and its reason.',
  },
  MILLRACE_INFEASIBLE: {
    status: 422,
    meaning: 'No configuration within the limits meets the objective.',
    remedy: 'Relax the objective, raise the limits, or use faster hardware.',
  },
  MILLRACE_CLOSED: {
    status: 503,
    meaning: 'The engine is closed, or is closing.',
    remedy: 'Send requests before closing, or start another engine.',
  },
  MILLRACE_NOT_READY: {
    status: 503,
    meaning: 'The engine behind a web application has not started yet, or could not be started.',
    remedy: 'Retry once its readiness says yes; where its start failed, see `cause`.',
  },
} as const satisfies Readonly<Record<`MILLRACE_${string}`, ErrorEntry>>)

/**
 * What a {@link MillraceError} has as its `code`: the keys of {@link errorTable}.
 *
 * @useDeclaredType
 */
export type MillraceErrorCode = keyof typeof errorTable

/** What a {@link MillraceError} is made of. */
export interface MillraceErrorOptions {
  /** A key of {@link errorTable}, which has the HTTP status as well. */
  readonly code: MillraceErrorCode
  /** Says what was expected, what came, and what to change. */
  readonly message: string
  /** The error behind this one. Default: none. */
  readonly cause?: unknown
  /** Milliseconds after which a retry may succeed. Default: that cannot be told. */
  readonly retryAfterMs?: number | undefined
  /** Name of the stage concerned. Default: none, or it is not known. */
  readonly stage?: string | undefined
}

const brand = Symbol.for('millrace.MillraceError')

/** The only kind of error that Millrace throws or rejects with on purpose. */
export class MillraceError extends Error {
  /** Which of the errors of {@link errorTable} it is: what programs should look at, since messages may change. */
  readonly code: MillraceErrorCode
  /** HTTP status that a server should answer with, from {@link errorTable}. */
  readonly status: number
  /** Milliseconds after which a retry may succeed; undefined where that cannot be told. */
  readonly retryAfterMs: number | undefined
  /** Name of the stage concerned; undefined where none is, or where it is not known. */
  readonly stage: string | undefined

  /** For adapters and stages of one's own that should fail as Millrace does. Never throws. */
  constructor(options: MillraceErrorOptions) {
    super(options.message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = options.code
    this.status = errorTable[options.code].status
    this.retryAfterMs = options.retryAfterMs
    this.stage = options.stage
  }

  /**
   * Headers that an answer with `status` should have: Retry-After, in whole seconds, where the error says when to come
   * again. Fastify and Express send them by themselves.
   */
  get headers(): Readonly<Record<string, string>> {
    if (this.retryAfterMs === undefined) return {}
    return { 'retry-after': String(Math.max(1, Math.ceil(this.retryAfterMs / 1000))) }
  }

  /**
   * Unlike `instanceof`, also true of errors made by another copy of this package, or in another
   * realm.
   *
   * @param value Anything, such as what was caught.
   */
  static is(value: unknown): value is MillraceError {
    return typeof value === 'object' && value !== null && brand in value
  }

  static {
    Object.defineProperty(MillraceError.prototype, 'name', { value: 'MillraceError' })
    Object.defineProperty(MillraceError.prototype, brand, { value: true })
  }
}
