/** Months as numbers, so that a difference is an age: months since the year 0. */
export function monthOf(text: string): number {
  return Number(text.slice(0, 4)) * 12 + Number(text.slice(5, 7)) - 1
}

/** `2017-03`. */
export function monthText(month: number): string {
  return `${yearOf(month)}-${String((month % 12) + 1).padStart(2, '0')}`
}

export const yearOf = (month: number) => Math.floor(month / 12)

export function daysIn(month: number): number {
  return new Date(Date.UTC(yearOf(month), (month % 12) + 1, 0)).getUTCDate()
}
