import { nowMs as wallMs } from '../clock.ts'
import type { MillraceError } from '../errors.ts'
import type { Plan } from '../planner/plan.ts'
import { checkPlan, type TunerTerms } from './check-tuner-options.ts'
import { arrivalLimits, type Decision, decide, presentLevel, type TunerState } from './decide.ts'
import { LiveTraffic } from './live-traffic.ts'
import { type PlannedDemand, plannedDemand } from './planned-demand.ts'
import { QuietTime } from './quiet-time.ts'
import { Replanner } from './replanner.ts'
import { Replicas } from './replicas.ts'
import { SteadyClock } from './steady-clock.ts'
import type { TunedEngine } from './tuned-engine.ts'
import type { TunerEmitter } from './tuner-events.ts'
import { DecisionTimes, type TunerStats } from './tuner-stats.ts'

/**
 * One tuning of an engine from start to stop: observes, decides, applies. Time is cut into steps of `checkEveryMs`, and
 * whatever comes after the end of a step, an arrival or the timer, first ends it: so the timer's delays decide nothing.
 */
export class TunerRun {
  readonly #engine: TunedEngine
  readonly #terms: TunerTerms
  readonly #events: TunerEmitter
  readonly #replicas: Replicas
  readonly #quiet: QuietTime
  readonly #clock: SteadyClock
  readonly #times = new DecisionTimes()
  readonly #replanner: Replanner | undefined
  #plan: Plan
  #demand: PlannedDemand
  #traffic: LiveTraffic
  #stepEndMs: number
  #changedMs = 0
  /** Another plan is being applied: what the replicas are is not known. */
  #applying = false
  #stopped = false
  /** Arrivals of this moment that are not in the traffic yet, and how many may be. */
  #unseen = 0
  #allowance = 0
  #isMomentWatched = false
  #stops: (() => void)[] = []
  #onClosed: () => void = () => {}
  readonly #done = { scaleUps: 0, scaleDowns: 0, replans: 0, errors: 0, clockJumps: 0 }
  /** Arrivals that plans before this one were compared with. */
  #arrivalsBefore = 0
  #lastReason: string | undefined

  constructor(
    engine: TunedEngine,
    { terms, events }: { readonly terms: TunerTerms; readonly events: TunerEmitter },
  ) {
    const { plan, rules, time, replan } = terms
    this.#engine = engine
    this.#terms = terms
    this.#events = events
    this.#replicas = new Replicas(engine, (error) => this.#failed(error))
    this.#quiet = new QuietTime(rules)
    this.#clock = new SteadyClock({
      clock: time.now,
      longestGapMs: rules.longestGapMs,
      onJump: (jumpMs) => this.#jumped(jumpMs),
    })
    if (replan !== undefined) {
      this.#replanner = new Replanner(engine, { replan, afterMs: rules.replanAfterMs })
    }
    this.#stepEndMs = rules.checkEveryMs
    this.#plan = plan
    this.#demand = plannedDemand(plan, terms.hardware)
    this.#traffic = this.#newTraffic()
  }

  /** `onClosed` is called when the engine turns out to be closed. */
  start({ onClosed }: { readonly onClosed: () => void }): void {
    this.#onClosed = onClosed
    const { time, rules } = this.#terms
    const watch = this.#engine.watchArrivals(this.#arrive)
    const timer = time.every(rules.checkEveryMs, () => {
      this.#endMoment()
      this.#endSteps(this.#clock.now())
    })
    this.#stops = [() => watch.stop(), () => timer.stop()]
    this.#rehearse()
    this.#setLimits()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    for (const stop of this.#stops) stop()
    this.#replanner?.stop()
    await this.#replicas.whenIdle()
  }

  stats(): Omit<TunerStats, 'running'> {
    this.#endMoment()
    const { windows, ratePerS, stages } = this.#demand
    const state = this.#state(this.#stepEndMs)
    const { most } = this.#traffic
    return {
      ...this.#done,
      arrivals: this.#arrivalsBefore + this.#traffic.total,
      plannedRatePerS: ratePerS,
      level: presentLevel(state, this.#basis),
      replicas: Object.fromEntries(
        stages.map(({ name }) => [name, this.#replicas.counts.get(name) ?? 0]),
      ),
      windows: windows.map(({ windowMs, arrivals }, at) => ({
        windowMs,
        ratePerS: (1000 * (state.arrivals[at] ?? 0)) / windowMs,
        highestPerS: (1000 * (most[at] ?? 0)) / windowMs,
        plannedPerS: (1000 * arrivals) / windowMs,
      })),
      quietMs: this.#quiet.quietMs,
      lastReason: this.#lastReason,
      decideMs: this.#times.summary,
    }
  }

  /** What every request pays for: in a moment that was looked at already, arrivals are only counted. */
  readonly #arrive = (): void => {
    if (this.#unseen < this.#allowance) this.#unseen++
    else this.#look()
  }

  #look(): void {
    this.#endMoment()
    const nowMs = this.#clock.now()
    if (nowMs >= this.#stepEndMs) this.#endSteps(nowMs)
    if (this.#traffic.add(nowMs) && !this.#applying) {
      const beganMs = wallMs()
      this.#decide(nowMs)
      this.#times.add(wallMs() - beganMs)
    }
    const { time } = this.#terms
    if (time.whenMomentEnds === undefined) return
    this.#allowance = this.#traffic.slack
    if (this.#isMomentWatched) return
    this.#isMomentWatched = true
    time.whenMomentEnds(this.#onMomentEnd)
  }

  readonly #onMomentEnd = (): void => {
    this.#isMomentWatched = false
    this.#endMoment()
  }

  #endMoment(): void {
    this.#traffic.addMore(this.#unseen)
    this.#unseen = 0
    this.#allowance = 0
  }

  #endSteps(nowMs: number): void {
    while (this.#stepEndMs <= nowMs && !this.#stopped) {
      const endMs = this.#stepEndMs
      this.#stepEndMs += this.#terms.rules.checkEveryMs
      this.#traffic.endStep(endMs)
      if (this.#applying) continue
      this.#replicas.refresh()
      this.#decide(endMs)
      this.#lookForLastingChange(endMs)
    }
  }

  #decide(nowMs: number): void {
    const decision = decide(this.#state(nowMs), this.#basis)
    if (decision !== undefined) this.#act(decision, nowMs)
    this.#setLimits()
  }

  /** A decision that nothing comes of: the first one that counts should not wait for its code to be compiled. */
  #rehearse(): void {
    const state = this.#state(0)
    const arrivals = this.#demand.windows.map((window) => 4 * window.arrivals)
    decide({ ...state, arrivals }, this.#basis)
    decide({ ...state, changedMs: Number.NEGATIVE_INFINITY }, this.#basis)
  }

  #act({ direction, changes, reason }: Decision, nowMs: number): void {
    this.#changedMs = nowMs
    this.#quiet.changed(direction, nowMs)
    this.#done[direction === 'up' ? 'scaleUps' : 'scaleDowns']++
    this.#lastReason = reason
    this.#replicas.change(changes)
    this.#events.emit('scale', { atMs: nowMs, direction, changes, reason })
  }

  #lookForLastingChange(nowMs: number): void {
    const isChanged = this.#demand.stages.some(({ name, replicas }) => {
      return this.#replicas.counts.get(name) !== replicas
    })
    const planning = this.#replanner?.look({ nowMs, isChanged, plan: this.#plan })
    planning?.then(
      (plan) => {
        if (plan !== undefined && !this.#stopped) this.#apply(plan)
      },
      (error: unknown) => {
        // Stopping ends a planning, which says so by an error that nobody waits for.
        if (!this.#stopped) this.#failed(error as MillraceError) // it rejects with no other
      },
    )
  }

  #apply(given: unknown): void {
    this.#applying = true
    void this.#replicas.track(this.#applyNow(given)).then(() => {
      this.#applying = false
      if (this.#stopped) return
      this.#replicas.refresh()
      this.#setLimits()
    })
  }

  async #applyNow(given: unknown): Promise<void> {
    const plan = checkPlan(given, this.#engine)
    const { configuration } = plan
    await this.#engine.apply?.({ configuration })
    const before = this.#plan
    this.#endMoment()
    this.#arrivalsBefore += this.#traffic.total
    this.#plan = plan
    this.#demand = plannedDemand(plan, this.#terms.hardware)
    this.#traffic = this.#newTraffic()
    this.#changedMs = this.#clock.now()
    this.#done.replans++
    this.#events.emit('replan', { atMs: this.#changedMs, before, after: plan })
  }

  #failed(error: MillraceError): void {
    if (error.code === 'MILLRACE_CLOSED') {
      this.#onClosed()
      return
    }
    this.#done.errors++
    this.#events.emit('error', error)
  }

  #jumped(jumpMs: number): void {
    this.#done.clockJumps++
    this.#events.emit('clock', { atMs: this.#stepEndMs, jumpMs })
  }

  #setLimits(): void {
    this.#traffic.setLimits(arrivalLimits(this.#state(this.#stepEndMs), this.#basis))
  }

  #newTraffic(): LiveTraffic {
    const windowsMs = this.#demand.windows.map(({ windowMs }) => windowMs)
    return new LiveTraffic(windowsMs, this.#terms.rules)
  }

  #state(nowMs: number): TunerState {
    const { counts: replicas } = this.#replicas
    const { quietMs } = this.#quiet
    return { nowMs, replicas, ...this.#traffic.now, changedMs: this.#changedMs, quietMs }
  }

  get #basis() {
    return { demand: this.#demand, rules: this.#terms.rules }
  }
}
