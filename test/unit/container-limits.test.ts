import { describe, expect, it } from 'vitest'
import { containerLimits } from '../../src/cli/container-limits.ts'

const limits = (files: Readonly<Record<string, string>>) => containerLimits((path) => files[path])
const none = { cores: undefined, memoryMb: undefined, throttled: undefined }

describe('the limits of a container', () => {
  it('are none where there are no control groups', () => {
    expect(limits({})).toEqual(none)
  })

  it('are read from version 2', () => {
    const read = limits({
      '/proc/self/cgroup': '0::/\n',
      '/sys/fs/cgroup/cpu.max': '150000 100000\n',
      '/sys/fs/cgroup/memory.max': '536870912\n',
      '/sys/fs/cgroup/cpu.stat': 'usage_usec 1\nnr_periods 200\nnr_throttled 50\n',
    })
    expect(read).toEqual({ cores: 1.5, memoryMb: 512, throttled: 0.25 })
  })

  it('are the narrowest of the groups around', () => {
    const read = limits({
      '/proc/self/cgroup': '0::/outer/inner\n',
      '/sys/fs/cgroup/outer/inner/cpu.max': '400000 100000\n',
      '/sys/fs/cgroup/outer/cpu.max': '200000 100000\n',
      '/sys/fs/cgroup/outer/inner/memory.max': 'max\n',
      '/sys/fs/cgroup/outer/memory.max': '1073741824\n',
    })
    expect(read).toEqual({ cores: 2, memoryMb: 1024, throttled: undefined })
  })

  it('may be unlimited', () => {
    const files = { '/sys/fs/cgroup/cpu.max': 'max 100000\n', '/sys/fs/cgroup/memory.max': 'max\n' }
    expect(limits({ '/proc/self/cgroup': '0::/\n', ...files })).toEqual(none)
  })

  it('are read from version 1, also where the path is that of the host', () => {
    const read = limits({
      '/proc/self/cgroup': '4:memory:/docker/abc\n3:cpu,cpuacct:/docker/abc\n',
      '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '50000\n',
      '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
      '/sys/fs/cgroup/memory/memory.limit_in_bytes': '268435456\n',
    })
    expect(read).toEqual({ cores: 0.5, memoryMb: 256, throttled: undefined })
  })

  it('of version 1 may be none', () => {
    const read = limits({
      '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1\n',
      '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
      '/sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
    })
    expect(read).toEqual(none)
  })
})
