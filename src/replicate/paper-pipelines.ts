import { packageFile } from '../package-file.ts'
import type { Hardware } from '../profile/hardware.ts'
import type { Profile } from '../profile/profile.ts'
import { defaultHardware } from '../profile/read-hardware.ts'
import { readProfile } from '../profile/read-profile.ts'

/** The pipelines of the paper, of which `profiles/` has profiles. */
export const paperPipelines = [
  'image-processing',
  'video-monitoring',
  'social-media',
  'tf-cascade',
] as const
export type PaperPipeline = (typeof paperPipelines)[number]

/** What to plan and simulate with. */
export interface Basis {
  readonly profile: Profile
  readonly hardware: Hardware
}

/** A pipeline of the paper, on its hardware and at its prices. */
export async function paperPipeline(name: PaperPipeline): Promise<Basis> {
  return {
    profile: await readProfile(packageFile(`profiles/${name}.json`)),
    hardware: await defaultHardware(),
  }
}

/** What all figures say of where their pipelines are from. */
export const profileDifferences: readonly string[] = [
  'Service times are those of the paper’s models on one CPU or one GPU, batch over published throughput; the cluster itself is simulated.',
  'Stand-ins and assumptions: V100 times are those of the K80 over 2.416; the translation model takes 0.15 of the published 400 ms, which alone would miss 150 ms; the shares of requests that take each branch are ours (profiles/README.md).',
]
