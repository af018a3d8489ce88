/** What is drawn: numbers and their names. How it looks is decided where it is drawn. */
export interface Plot {
  /** Letters, digits and dashes; of its figure's plots the only one with it. */
  readonly name: string
  readonly title: string
  readonly x: PlotAxis
  readonly y: PlotAxis
  readonly series: readonly PlotSeries[]
  /** A line across, at a height. */
  readonly mark?: PlotMark | undefined
}

export interface PlotMark {
  readonly y: number
  readonly text: string
  /** Where the text is. Default `end`. */
  readonly at?: 'start' | 'end' | undefined
}

export interface PlotAxis {
  /** With its unit. */
  readonly name: string
  /** Default `value`. */
  readonly kind?: 'value' | 'log' | 'category' | undefined
  /** Of kind `category`: the names, to which the numbers of points are indices. */
  readonly categories?: readonly string[] | undefined
  /** Begins near the least number instead of at 0. Default false. */
  readonly scaled?: boolean | undefined
  readonly min?: number | undefined
  readonly max?: number | undefined
}

export interface PlotSeries {
  /** The same name has the same colour in all plots of a report. */
  readonly name: string
  readonly kind: 'line' | 'step' | 'bar' | 'points'
  /** Pixels of its points, so that those at one place can be told apart. Default 9; of `points` alone. */
  readonly size?: number | undefined
  /** Has the number written over each bar, with so many decimals. */
  readonly labelDecimals?: number | undefined
  /** Null: there is none here. */
  readonly points: readonly (readonly [x: number, y: number | null])[]
}
