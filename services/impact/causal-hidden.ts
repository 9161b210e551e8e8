import { MIN_HOUSEHOLDS } from '../shared/domain/suppression.ts'
import type { ArmFigures, HoldoutReport } from './holdout.ts'
import { experimental, observational, type Arm, type Estimates } from './holdout-estimates.ts'

interface ShownFigures {
  readonly households: number
  /** Null where fewer than 11 own it, or fewer than 11 do not. */
  readonly owners: number | null
  readonly meanMarginMicros: number | null
}

/** A report with nothing in it that is of fewer than 11 households. */
export interface ShownReport extends Omit<HoldoutReport, 'arms' | 'owning'> {
  readonly arms: Readonly<Record<Arm, ShownFigures>> | null
  readonly owning: { readonly owners: ShownFigures; readonly others: ShownFigures } | null
  /** Groups that are too small, in words. */
  readonly hidden: readonly string[]
}

/**
 * Hides estimates and means with a group under 11 households behind them. The households of an arm are drawn by its lot and no secret;
 * of an arm's owners neither the number nor its complement is shown when small.
 */
export function hideSmall(report: HoldoutReport): ShownReport {
  const { arms, owning } = report
  const isSmall = (figures: ArmFigures | undefined) => (figures?.households ?? 0) < MIN_HOUSEHOLDS
  const smallArm = arms !== null && (isSmall(arms.treatment) || isSmall(arms.holdout))
  const smallOwning = owning !== null && (isSmall(owning.owners) || isSmall(owning.others))
  const without = (names: readonly (keyof Estimates)[]) => Object.fromEntries(names.map((name) => [name, null]))
  return {
    ...report,
    arms: arms && { treatment: shownOf(arms.treatment), holdout: shownOf(arms.holdout) },
    owning: owning && { owners: shownOf(owning.owners), others: shownOf(owning.others) },
    estimates: {
      ...report.estimates,
      ...(smallArm ? without(experimental) : {}),
      ...(smallOwning ? without([...observational, 'exposureScaled', 'exposureScaledCuped']) : {}),
    },
    hidden: [...(smallArm ? ['an arm is'] : []), ...(smallOwning ? ['owners or the others are'] : [])],
  }
}

function shownOf({ households, owners, meanMarginMicros }: ArmFigures): ShownFigures {
  const isShown = owners >= MIN_HOUSEHOLDS && households - owners >= MIN_HOUSEHOLDS
  return {
    households,
    owners: isShown || owners === 0 || owners === households ? owners : null,
    meanMarginMicros: households < MIN_HOUSEHOLDS ? null : meanMarginMicros,
  }
}
