/** Preloaded (--import) into a child process: its clock says that CLOCK_AHEAD_DAYS days more have passed. */
const aheadMs = Number(process.env['CLOCK_AHEAD_DAYS']) * 86_400_000
const RealDate = Date

class AheadDate extends RealDate {
  constructor(...given: [] | [number | string | Date]) {
    super(given.length === 0 ? RealDate.now() + aheadMs : given[0])
  }
  static override now(): number {
    return RealDate.now() + aheadMs
  }
}
globalThis.Date = AheadDate as DateConstructor
