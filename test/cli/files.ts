// Files as the command line reads them: small, right in everything, and for tests to change.
export const hardware = {
  version: 1,
  tiers: {
    'cpu-1': { kind: 'cpu', threads: 1, pricePerHour: 0.0665 },
    'cpu-2': { kind: 'cpu', threads: 2, pricePerHour: 0.133 },
  },
}

const fast = {
  points: [
    { batch: 1, meanMs: 1, p99Ms: 1.2 },
    { batch: 8, meanMs: 4, p99Ms: 4.5 },
  ],
}
const accurate = {
  points: [
    { batch: 1, meanMs: 5, p99Ms: 6 },
    { batch: 8, meanMs: 30, p99Ms: 33 },
  ],
}

export const profile = {
  version: 1,
  pipeline: 'digits',
  stages: {
    fast: { scaleFactor: 1, tiers: { 'cpu-1': fast } },
    accurate: { scaleFactor: 0.3, tiers: { 'cpu-1': accurate } },
  },
  edges: [['fast', 'accurate']],
}

export const plan = {
  version: 1,
  pipeline: 'digits',
  configuration: {
    fast: { tier: 'cpu-1', maxBatch: 8, replicas: 1 },
    accurate: { tier: 'cpu-1', maxBatch: 8, replicas: 1 },
  },
}

export const trace = {
  version: 1,
  arrivalsMs: Array.from({ length: 200 }, (_, index) => index * 10),
  meta: {},
}
