import { dayMs } from '../traffic.ts'

/** 2016 is the time before the experiments. */
export const firstYear = 2016
export const years = [2016, 2017, 2018, 2019, 2020, 2021] as const
export const quarterCount = years.length * 4

const dayOf = (year: number, month: number) => Date.UTC(year, month, 1) / dayMs

/** First day of each month since 2016-01, and of the one after the last: days since 1970-01-01 UTC. */
const monthStarts = Array.from({ length: years.length * 12 + 1 }, (_, month) => dayOf(firstYear, month))

export const firstDay = monthStarts[0]!
export const lastDay = monthStarts.at(-1)! - 1
/** Products are sold, and experiments run, from this day on. */
export const salesFromDay = monthStarts[12]!

export const firstDayOfMonth = (month: number): number => monthStarts[month]!
export const firstDayOfQuarter = (quarter: number): number => monthStarts[quarter * 3]!
/** Its first day; `year` counts from 0 for 2016. */
export const firstDayOfYear = (year: number): number => monthStarts[year * 12]!

/** The year of a day, 0 for 2016. */
export function yearOfDay(day: number): number {
  let year = years.length - 1
  while (year > 0 && day < firstDayOfYear(year)) {
    year -= 1
  }
  return year
}

export const monthDays = 365.25 / 12
