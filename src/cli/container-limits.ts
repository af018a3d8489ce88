// What a container lets a process have, from the files of Linux's control groups. Node says nothing of it in version 20.

/** The text of a file; undefined where it cannot be read. */
export type ReadText = (path: string) => string | undefined

export interface ContainerLimits {
  /** Processor time per time, such as 1.5; undefined without a limit. */
  readonly cores: number | undefined
  readonly memoryMb: number | undefined
  /** Share of the periods, 0 to 1, at whose end the limit had stopped the group; undefined where nobody counts. */
  readonly throttled: number | undefined
}

const bytesPerMb = 2 ** 20
/** Version 1 writes "no limit" as almost 2^63. */
const unlimitedBytes = 2 ** 60

/** The narrowest limits of the control group that we are in and of those around it, of either version. */
export function containerLimits(read: ReadText): ContainerLimits {
  const groups = read('/proc/self/cgroup') ?? ''
  const second = chain('/sys/fs/cgroup', pathOf(groups, ''))
  const cpu = chain('/sys/fs/cgroup/cpu', pathOf(groups, 'cpu'))
  const memory = chain('/sys/fs/cgroup/memory', pathOf(groups, 'memory'))
  const stat = [...second, ...cpu].map((folder) => read(`${folder}/cpu.stat`)).find(Boolean)
  const cores = [
    ...second.map((folder) => quota(read(`${folder}/cpu.max`)?.split(' '))),
    ...cpu.map((folder) => {
      return quota([read(`${folder}/cpu.cfs_quota_us`), read(`${folder}/cpu.cfs_period_us`)])
    }),
  ]
  const memoryMb = [
    ...second.map((folder) => bytesToMb(read(`${folder}/memory.max`))),
    ...memory.map((folder) => bytesToMb(read(`${folder}/memory.limit_in_bytes`))),
  ]
  return { cores: least(cores), memoryMb: least(memoryMb), throttled: throttledShare(stat) }
}

/** Where `controller` has us; of version 2, which has one tree for all, the controller is ''. */
function pathOf(groups: string, controller: string): string {
  for (const line of groups.split('\n')) {
    const [, controllers = '', path = '/'] = /^\d+:([^:]*):(.*)$/.exec(line) ?? []
    if (line !== '' && controllers.split(',').includes(controller)) return path
  }
  return '/'
}

// From the group itself to the root. In a container the path may be that of the host, and only the root is there.
function chain(root: string, path: string): readonly string[] {
  const names = path.split('/').filter((name) => name !== '' && name !== '..')
  return Array.from({ length: names.length + 1 }, (_, left) => {
    return [root, ...names.slice(0, names.length - left)].join('/')
  })
}

function quota([share, period]: readonly (string | undefined)[] = []): number | undefined {
  const [shareUs, periodUs] = [Number(share), Number(period)]
  return shareUs > 0 && periodUs > 0 ? shareUs / periodUs : undefined
}

function bytesToMb(text: string | undefined): number | undefined {
  const bytes = Number(text ?? Number.NaN)
  return bytes > 0 && bytes < unlimitedBytes ? bytes / bytesPerMb : undefined
}

function throttledShare(stat: string | undefined): number | undefined {
  const periods = Number(/^nr_periods (\d+)$/m.exec(stat ?? '')?.[1])
  const throttled = Number(/^nr_throttled (\d+)$/m.exec(stat ?? '')?.[1])
  return periods > 0 ? throttled / periods : undefined
}

function least(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined)
  return known.length === 0 ? undefined : Math.min(...known)
}
