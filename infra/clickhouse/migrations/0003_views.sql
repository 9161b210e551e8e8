-- Views for people. The analyst user may read this database and nothing else: a view reads the tables as its definer, so no
-- grant on a table is needed. A view that changes gets a new migration with CREATE OR REPLACE (IF NOT EXISTS here is what
-- two processes may run at once).

CREATE DATABASE IF NOT EXISTS {{views}} {{on_cluster}};

-- The share of requests that is monetised, strict and broad, with its 95 % interval: for a whole window of days, or
-- for each cell of the dimensions in `by`. The one definition that the CLI, alerts, dashboards and analysts read.
--
--   SELECT * FROM intent_ledger_views.usage_share(from = '2026-03-01', to = '2026-03-07', by = 'product,cohort_month',
--                             product = '', cohort = '', country = '', plans = 'any')
--
-- from, to   first and last day (UTC), both included
-- by         comma list of product, cohort_month, country, plans, day; '' for one total
-- product, country   one value, or '' for all
-- cohort     activation month as 'YYYY-MM', or '' for all
-- plans      exactly this set, comma-joined and sorted; '' is no plan at all, 'any' is every household
--
-- strict = direct; broad = direct, assisted and entitlement; the denominator is every class but not_a_request. Formula,
-- masks and suppression rule are those of services/shared/domain/share-interval.ts and suppression.ts, to the same
-- digits. The taxonomy version is part of every key: two versions never mix in one number.
--
-- Each step is a table expression of its own, used once, and hands on only what later steps need: one SELECT with a chain of
-- aliases would be copied out by the planner at each use, and every column handed on makes planning dearer, which is most of
-- the time of a small query. Rows come in no order: the reader sorts (an ORDER BY here makes planning dearer still).
CREATE VIEW IF NOT EXISTS {{views}}.usage_share {{on_cluster}} DEFINER = pipeline SQL SECURITY DEFINER AS
WITH
    -- No comma in front: the first dimension is asked for below.
    splitByChar(',', trimLeft(replaceAll({by:String}, ' ', ''), ',')) AS dimensions,

    -- The cell of a row of either roll-up as a number whose low 6 bits are free for a bucket. Texts of few values are hashed once
    -- each, and millions of rows are summed by one number: two of 2,000 cells share theirs by a chance of 10^-11.
    ((product, cohort_month, country, plans, day, version) -> bitAnd(bitNot(toUInt64(63)),
        if({by:String} LIKE '%product%', 3 * cityHash64(product), 0)
        + if({by:String} LIKE '%cohort_month%', 5 * cityHash64(cohort_month), 0)
        + if({by:String} LIKE '%country%', 7 * cityHash64(country), 0)
        + if({by:String} LIKE '%plans%', 11 * cityHash64(plans), 0)
        + if({by:String} LIKE '%day%', 13 * cityHash64(day), 0)
        + 17 * cityHash64(version))) AS cell_of,
    -- Whether it is in the window and passes the filters.
    ((day, product, cohort_month, country, plans) ->
        day BETWEEN {from:Date} AND {to:Date}
        AND ({product:String} = '' OR product = {product:String})
        AND ({country:String} = '' OR country = {country:String})
        AND ({plans:String} = 'any' OR plans = {plans:String})
        AND ({cohort:String} = '' OR cohort_month = toDateOrZero(concat({cohort:String}, '-01')))) AS asked_for,

    -- Whether cohorts play no part: the roll-up by product has the same sums in a hundredth of the rows.
    NOT multiSearchAny({by:String}, ['cohort_month', 'country', 'plans'])
        AND ({cohort:String}, {country:String}, {plans:String}) = ('', '', 'any') AS of_all_cohorts,

    -- Requests per cell and household bucket.
    sums AS
    (
        SELECT
            cell_of(product, cohort_month, country, plans, day, taxonomy_version) + bucket AS place,
            sum(requests) AS x,
            sumIf(requests, value_class = 'direct') AS strict,
            sumIf(requests, value_class IN ('direct', 'assisted', 'entitlement')) AS broad
        FROM
        (
            SELECT day, product, cohort_month, country, plans, value_class, taxonomy_version, bucket, requests
            FROM {{database}}.usage_by_cohort_daily
            WHERE NOT of_all_cohorts
            UNION ALL
            -- Any columns of the right types stand for those of a cohort: nobody asks for them.
            SELECT day, product, day, product, product, value_class, taxonomy_version, bucket, requests
            FROM {{database}}.usage_by_product_daily
            WHERE of_all_cohorts
        )
        WHERE asked_for(day, product, cohort_month, country, plans) AND value_class != 'not_a_request'
        GROUP BY place
    ),
    buckets AS
    (
        SELECT
            bitAnd(place, bitNot(toUInt64(63))) AS cell,
            groupArray((toFloat64(x), toFloat64(strict), toFloat64(broad))) AS by_bucket
        FROM sums
        GROUP BY cell
    ),
    -- The union of a window's days is counted, for a household is in many days and can own two products.
    people AS
    (
        SELECT
            -- toDate(0) is no day of ours.
            (
                if({by:String} LIKE '%product%', product, ''),
                if({by:String} LIKE '%cohort_month%', cohort_month, toDate(0)),
                if({by:String} LIKE '%country%', country, ''),
                if({by:String} LIKE '%plans%', plans, ''),
                if({by:String} LIKE '%day%', day, toDate(0)),
                taxonomy_version
            ) AS key,
            cell_of(product, cohort_month, country, plans, day, taxonomy_version) AS cell,
            uniqCombined64MergeState(households) AS state
        FROM {{database}}.households_by_cohort_daily
        WHERE asked_for(day, product, cohort_month, country, plans)
            -- A scalar subquery, because a condition on rows would stay silent when other filters leave none.
            AND (
                SELECT throwIf(
                        NOT hasAll(['', 'product', 'cohort_month', 'country', 'plans', 'day'], dimensions),
                        'usage_share: by takes product, cohort_month, country, plans and day, separated by commas')
                    OR throwIf(
                        NOT match({cohort:String}, '^([0-9]{4}-(0[1-9]|1[0-2]))?$'),
                        'usage_share: cohort is a month as YYYY-MM, or empty for all')
                    OR throwIf({from:Date} > {to:Date}, 'usage_share: from is a day after to')
            ) = 0
        GROUP BY key, cell
    ),
    -- Suppression, first in each parent (the cells that one value of the first dimension sums up), then in the whole
    -- result: small cells are hidden, and the smallest of the others with them where the hidden ones together hold fewer than
    -- 11 households (one small cell always does).
    sized AS
    (
        SELECT
            key, by_bucket, state,
            finalizeAggregation(state) AS household_count,
            household_count < 11 AS small,
            tupleElement(key, 1 + indexOf(['cohort_month', 'country', 'plans', 'day'], dimensions[1])) AS parent
        FROM buckets JOIN people USING cell
    ),
    protected_in_parent AS
    (
        SELECT
            key, by_bucket, state, household_count, small,
            small OR (
                row_number() OVER (PARTITION BY key.6, parent ORDER BY small, household_count, key) = 1
                AND uniqCombined64MergeIf(state, small) OVER (PARTITION BY key.6, parent) BETWEEN 1 AND 10) AS hidden
        FROM sized
    ),
    totals AS
    (
        SELECT
            key,
            household_count,
            hidden OR (
                row_number() OVER (PARTITION BY key.6 ORDER BY hidden, household_count, key) = 1
                AND uniqCombined64MergeIf(state, hidden) OVER (PARTITION BY key.6) BETWEEN 1 AND 10) AS suppressed,
            by_bucket.1 AS x,
            [by_bucket.2, by_bucket.3] AS ys,
            toFloat64(length(x)) AS n,
            arraySum(x) AS X,
            64 / 63 * (L2SquaredNorm(x) - X * X / 64) AS x_squares
        FROM protected_in_parent
    ),
    -- From here on arrays of two, strict and broad, so that the formula stands here once. A step is used by the next one
    -- alone and binds its values to names again: that costs the planner less than a table expression a step.
    shown AS
    (
        SELECT
            key, household_count, suppressed, X,
            least(greatest(if(x_squares <= 0, X, X * X / x_squares), 1), X) AS mx,
            -- (y X - x Y) / X rather than y - R x: exactly 0 where all buckets have the same share.
            arrayMap((y, Y) -> (
                Y,
                64 / 63 * (L2SquaredNorm(y) - Y * Y / 64),
                64 / 63 * (L2SquaredNorm(x - y) - (X - Y) * (X - Y) / 64),
                (y * X - x * Y) / X
            ), ys, arrayMap(y -> arraySum(y), ys)) AS squares,
            -- Effective households (Kish) behind all requests (mx), and behind the monetised or the others, whichever are
            -- fewer (m).
            arrayMap((Y, y_squares, rest_squares, e) -> (
                Y / X,
                L2SquaredNorm(e),
                L2SquaredNorm(arrayMap(a -> a * a, e)),
                least(
                    if(Y = 0, 0, greatest(if(y_squares <= 0, Y, Y * Y / y_squares), 1)),
                    if(X = Y, 0, greatest(if(rest_squares <= 0, X - Y, (X - Y) * (X - Y) / rest_squares), 1)))
            ), squares) AS effective,
            arrayMap((share, S2, S4, m) -> (
                share,
                share * (1 - share),
                n / (n - 1) * S2 / (X * X),
                if(S2 = 0, n - 1, least(greatest(2 * n / greatest(n * S4 / (S2 * S2) - 1, 0), 2), n - 1)),
                m
            ), effective) AS variances,
            -- Student's t at 97.5 %: Cornish-Fisher around 1.959963984540054 to df^-4, closed form at df = 2 (student-t.ts).
            arrayMap((share, v0, v, df, m) -> (
                share,
                v0,
                pow(if(df = 2, 4.302652729911275,
                    1.959963984540054 + (2.3722712302985625 + (2.8224986157396112 + (2.5558496795077223 + 1.5895340533938225 / df) / df) / df) / df), 2)
                    / if(v0 = 0, mx, least(greatest(v0 / ((m * v + v0 / mx) / (m + 1)), 1), X)),
                m
            ), variances) AS quantiles,
            arrayMap((share, v0, t2n, m) -> (
                share,
                (share + t2n / 2) / (1 + t2n),
                sqrt(t2n * (v0 + t2n / 4)) / (1 + t2n),
                m
            ), quantiles) AS wilson,
            arrayMap((share, centre, half, m) -> (
                share, greatest(centre - half, 0), least(centre + half, 1), m
            ), wilson) AS bounds,
            -- No bound that the data can't carry; below, nothing of a suppressed cell.
            arrayMap((share, low, high, m) -> (
                share,
                if(n < 3 OR m < 3, NULL, low),
                if(n < 3, NULL, high),
                multiIf(n < 3 OR m < 3, 'insufficient', (high - low) / 2 > 0.5 * share, 'wide', 'ok')
            ), bounds) AS figures
        FROM totals
    )
SELECT
    toString(key.1) AS product,
    if(key.2 = toDate(0), '', formatDateTime(key.2, '%Y-%m')) AS cohort_month,
    toString(key.3) AS country,
    toString(key.4) AS plans,
    if(key.5 = toDate(0), '', toString(key.5)) AS day,
    key.6 AS taxonomy_version,
    if(suppressed, NULL, toUInt64(X)) AS requests,
    if(suppressed, NULL, household_count) AS households,
    if(suppressed, NULL, figures[1].1) AS strict_share,
    if(suppressed, NULL, figures[1].2) AS strict_low,
    if(suppressed, NULL, figures[1].3) AS strict_high,
    if(suppressed, NULL, figures[1].4) AS strict_quality,
    if(suppressed, NULL, figures[2].1) AS broad_share,
    if(suppressed, NULL, figures[2].2) AS broad_low,
    if(suppressed, NULL, figures[2].3) AS broad_high,
    if(suppressed, NULL, figures[2].4) AS broad_quality,
    suppressed
FROM shown
-- Passes of the planner that find nothing here and take their time for it: the first of them 9 of 60 ms.
SETTINGS optimize_and_compare_chain = 0, query_plan_remove_unused_columns = 0, optimize_redundant_functions_in_order_by = 0,
    optimize_rewrite_like_perfect_affix = 0, optimize_aggregators_of_group_by_keys = 0, optimize_group_by_function_keys = 0;

-- How often each intent is asked for, by class: requests, households and the share of all requests (every class but
-- not_a_request, whose own share is therefore NULL).
--
--   SELECT * FROM intent_ledger_views.top_intents(from = '2026-03-01', to = '2026-03-07', by = '', product = '',
--                                                 country = '', value_class = '')
--   ORDER BY value_class, requests DESC NULLS LAST LIMIT 5 BY value_class
--
-- by            comma list of product, country, or '' for one list over all
-- value_class   direct, assisted, entitlement, free, not_a_request, unclassified, or '' for all
--
-- A share gives the total of its list away, so the hidden cells of a list hold at least two intents and 11 households
-- (the rule of usage_share, per list and over all lists). It is applied before value_class filters: what the filter takes
-- away only adds to what a reader does not know.
CREATE VIEW IF NOT EXISTS {{views}}.top_intents {{on_cluster}} DEFINER = pipeline SQL SECURITY DEFINER AS
WITH
    arrayFilter(d -> d != '', splitByChar(',', replaceAll({by:String}, ' ', ''))) AS dimensions,
    cells AS
    (
        SELECT
            if(has(dimensions, 'product'), toString(product), '') AS product_key,
            if(has(dimensions, 'country'), toString(country), '') AS country_key,
            toString(intent) AS intent_key,
            toString(value_class) AS class_key,
            class_key != 'not_a_request' AS counted,
            taxonomy_version AS version,
            sum(requests) AS cell_requests,
            uniqCombined64MergeState(households) AS household_state
        FROM {{database}}.usage_by_intent_daily
        WHERE day BETWEEN {from:Date} AND {to:Date}
            AND ({product:String} = '' OR product = {product:String})
            AND ({country:String} = '' OR country = {country:String})
            AND (
                SELECT throwIf(
                        NOT hasAll(['product', 'country'], dimensions),
                        'top_intents: by takes product and country, separated by commas')
                    OR throwIf(
                        {value_class:String} NOT IN ('', 'direct', 'assisted', 'entitlement', 'free', 'not_a_request', 'unclassified'),
                        'top_intents: value_class is direct, assisted, entitlement, free, not_a_request, unclassified, or empty for all')
                    OR throwIf({from:Date} > {to:Date}, 'top_intents: from is a day after to')
            ) = 0
        GROUP BY product_key, country_key, intent_key, class_key, version
    ),
    sized AS
    (
        SELECT
            *,
            finalizeAggregation(household_state) AS household_count,
            household_count < 11 AS small
        FROM cells
    ),
    protected_in_list AS
    (
        SELECT
            *,
            sum(cell_requests) OVER in_list AS list_requests,
            small OR (
                row_number() OVER (in_list ORDER BY small, household_count, intent_key, class_key) = 1
                AND uniqCombined64MergeIf(household_state, small) OVER in_list BETWEEN 1 AND 10) AS hidden
        FROM sized
        WINDOW in_list AS (PARTITION BY version, counted, product_key, country_key)
    ),
    protected AS
    (
        SELECT
            product_key, country_key, intent_key, class_key, version, counted, cell_requests, household_count, list_requests,
            hidden OR (
                row_number() OVER (
                    PARTITION BY version, counted
                    ORDER BY hidden, household_count, product_key, country_key, intent_key, class_key) = 1
                AND uniqCombined64MergeIf(household_state, hidden) OVER (PARTITION BY version, counted) BETWEEN 1 AND 10
            ) AS suppressed
        FROM protected_in_list
    )
SELECT
    product_key AS product,
    country_key AS country,
    intent_key AS intent,
    class_key AS value_class,
    version AS taxonomy_version,
    if(suppressed, NULL, cell_requests) AS requests,
    if(suppressed, NULL, household_count) AS households,
    if(suppressed OR NOT counted, NULL, cell_requests / list_requests) AS share,
    suppressed
FROM protected
WHERE {value_class:String} = '' OR class_key = {value_class:String};

-- Purchases and what was spent. Money is per currency and never summed over currencies.
--
--   SELECT * FROM intent_ledger_views.purchases(from = '2026-03-01', to = '2026-03-07', by = 'product', product = '',
--                                               cohort = '', country = '', plans = 'any')
--
-- Parameters as usage_share. A cell is a currency and one value of each dimension; cells under 11 households are hidden, and
-- another with them where the total of the currency would give them away.
CREATE VIEW IF NOT EXISTS {{views}}.purchases {{on_cluster}} DEFINER = pipeline SQL SECURITY DEFINER AS
WITH
    arrayFilter(d -> d != '', splitByChar(',', replaceAll({by:String}, ' ', ''))) AS dimensions,
    cells AS
    (
        SELECT
            if(has(dimensions, 'product'), toString(product), '') AS product_key,
            if(has(dimensions, 'cohort_month'), formatDateTime(cohort_month, '%Y-%m'), '') AS cohort_key,
            if(has(dimensions, 'country'), toString(country), '') AS country_key,
            if(has(dimensions, 'plans'), toString(plans), '') AS plans_key,
            if(has(dimensions, 'day'), toString(day), '') AS day_key,
            toString(currency) AS currency_key,
            taxonomy_version AS version,
            sum(purchases) AS cell_purchases,
            sum(amount_micros) AS cell_micros,
            uniqCombined64MergeState(households) AS household_state
        FROM {{database}}.purchases_daily
        WHERE day BETWEEN {from:Date} AND {to:Date}
            AND ({product:String} = '' OR product = {product:String})
            AND ({country:String} = '' OR country = {country:String})
            AND ({plans:String} = 'any' OR plans = {plans:String})
            AND ({cohort:String} = '' OR cohort_month = toDateOrZero(concat({cohort:String}, '-01')))
            AND (
                SELECT throwIf(
                        NOT hasAll(['product', 'cohort_month', 'country', 'plans', 'day'], dimensions),
                        'purchases: by takes product, cohort_month, country, plans and day, separated by commas')
                    OR throwIf(
                        NOT match({cohort:String}, '^([0-9]{4}-(0[1-9]|1[0-2]))?$'),
                        'purchases: cohort is a month as YYYY-MM, or empty for all')
                    OR throwIf({from:Date} > {to:Date}, 'purchases: from is a day after to')
            ) = 0
        GROUP BY product_key, cohort_key, country_key, plans_key, day_key, currency_key, version
    ),
    sized AS
    (
        SELECT
            *,
            finalizeAggregation(household_state) AS household_count,
            household_count < 11 AS small,
            multiIf(
                dimensions[1] = 'product', product_key,
                dimensions[1] = 'cohort_month', cohort_key,
                dimensions[1] = 'country', country_key,
                dimensions[1] = 'plans', plans_key,
                day_key) AS parent
        FROM cells
    ),
    protected_in_parent AS
    (
        SELECT
            *,
            small OR (
                row_number() OVER (
                    PARTITION BY version, currency_key, parent
                    ORDER BY small, household_count, product_key, cohort_key, country_key, plans_key, day_key) = 1
                AND uniqCombined64MergeIf(household_state, small)
                    OVER (PARTITION BY version, currency_key, parent) BETWEEN 1 AND 10) AS hidden
        FROM sized
    ),
    protected AS
    (
        SELECT
            product_key, cohort_key, country_key, plans_key, day_key, currency_key, version,
            cell_purchases, cell_micros, household_count,
            hidden OR (
                row_number() OVER (
                    PARTITION BY version, currency_key
                    ORDER BY hidden, household_count, product_key, cohort_key, country_key, plans_key, day_key) = 1
                AND uniqCombined64MergeIf(household_state, hidden) OVER (PARTITION BY version, currency_key) BETWEEN 1 AND 10
            ) AS suppressed
        FROM protected_in_parent
    )
SELECT
    product_key AS product,
    cohort_key AS cohort_month,
    country_key AS country,
    plans_key AS plans,
    day_key AS day,
    currency_key AS currency,
    version AS taxonomy_version,
    if(suppressed, NULL, cell_purchases) AS purchases,
    if(suppressed, NULL, toDecimal128(cell_micros, 6) / 1000000) AS amount,
    if(suppressed, NULL, household_count) AS households,
    suppressed
FROM protected;

-- How far ingestion has come, per partition of the log: what is later than the watermark is not in the other views yet.
--
--   SELECT max(newest_event_time) FROM intent_ledger_views.freshness WHERE stream = 'assistant-intents'
--
-- newest_record_time is the Kafka timestamp of the newest message read, next_offset the first that was not read yet; expired
-- offsets were deleted by retention before they were read.
CREATE VIEW IF NOT EXISTS {{views}}.freshness {{on_cluster}} DEFINER = pipeline SQL SECURITY DEFINER AS
SELECT
    stream,
    topic,
    topic_id,
    partition,
    count() AS batches,
    max(last_offset) + 1 AS next_offset,
    sum(expired) AS expired_offsets,
    min(event_time_low) AS oldest_event_time,
    max(event_time_high) AS newest_event_time,
    max(record_time_high) AS newest_record_time,
    max(inserted_at) AS newest_batch_time
FROM {{database}}.ingest_batches
GROUP BY stream, topic, topic_id, partition;
