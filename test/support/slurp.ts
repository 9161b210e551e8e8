import { sharedDataMissing, sharedDataPath } from './shared-data.ts'

const file = 'slurp-utterances.csv'

/** The real utterances. */
export const slurpPath = sharedDataPath(file)

/** For a test's `skip`, as `sharedDataMissing`. */
export const slurpMissing = () => sharedDataMissing(file)
