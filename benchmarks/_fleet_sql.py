"""The benchmark's steps as somebody would write them in DuckDB's SQL, with all that it offers.

They give the same rows as the portable expressions: `ASOF JOIN`, `IGNORE NULLS`, `QUALIFY`,
`DISTINCT ON` and `unnest(range())` are what those do without.
"""

from __future__ import annotations

# Events in order with their phase, the next event's time and the number of the cycle.
TIMELINE = """
CREATE OR REPLACE TEMP TABLE timeline AS
WITH e AS (
  SELECT *, '+' || event_types || '+' AS y, CASE
    WHEN vehicle_state IN ('available', 'on_trip', 'reserved') THEN 'operational'
    WHEN vehicle_state = 'removed' THEN 'task'
    WHEN vehicle_state = 'non_operational' AND NOT (
      regexp_matches(y, '[+](off_hours|system_suspend|unspecified)[+]')
      AND NOT (contains(y, '+battery_low+') OR contains(y, '+maintenance+'))) THEN 'pending'
    ELSE 'censored' END AS phase
  FROM events WHERE event_at < $data_end
), w AS (
  SELECT *, coalesce(lead(event_at) OVER v, $data_end) AS next_at, lag(phase) OVER v AS before,
    coalesce(battery_pct, CASE WHEN regexp_matches(y,
      '[+](battery_charged|agency_drop_off|provider_drop_off)[+]') THEN -1 END) AS told,
    nullif(last_value(told IGNORE NULLS) OVER
      (v ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW), -1) AS known,
    nullif(last_value(told IGNORE NULLS) OVER
      (v ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), -1) AS known_before
  FROM e WINDOW v AS (PARTITION BY vehicle_id ORDER BY event_at, event_id)
), s AS (
  SELECT *, CASE
    WHEN contains(y, '+battery_charged+') THEN 'charge'
    WHEN regexp_matches(y, '[+](agency_drop_off|provider_drop_off)[+]') THEN 'drop-off'
    WHEN before <> 'task' AND battery_pct - known_before >= 15 THEN 'swap'
    WHEN contains(y, '+maintenance+') THEN 'maintenance'
    ELSE 'resumed' END AS start_kind,
    phase = 'operational' AND (coalesce(before <> 'operational', true)
      OR start_kind IN ('charge', 'drop-off', 'swap')) AS is_start,
    phase <> 'operational' AND coalesce(before = 'operational', false) AS is_end
  FROM w
)
SELECT *, count(*) FILTER (is_start) OVER
  (PARTITION BY vehicle_id ORDER BY event_at, event_id
   ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS cycle_no
FROM s
"""

PRICED = """
CREATE OR REPLACE TEMP TABLE priced AS
SELECT vehicle_id, trip_id, started_at, ended_at, start_cell,
  start_battery_pct - end_battery_pct AS used,
  coalesce(revenue, {unlock} + CASE WHEN duration_s > 0 THEN duration_s / 60.0
    ELSE distance_m / 1000.0 / {riding} * 60.0 END * {per_min} + distance_m / 1000.0 * {per_km}
  ) AS gross,
  gross * {kept} - {per_trip} AS net
FROM trips WHERE NOT starts_with(trip_id, 'gap:') AND ended_at <= $data_end
"""

LEDGER = """
CREATE OR REPLACE TEMP TABLE ledger AS
WITH t AS (
  SELECT *, lead(phase) OVER (PARTITION BY vehicle_id, cycle_no ORDER BY event_at, event_id) IS NULL
      AND phase = 'operational' AS is_last,
    (epoch_us(next_at) - epoch_us(event_at)) / 3.6e9 AS hours,
    CASE WHEN phase = 'operational' AND NOT is_start OR is_end THEN known_before - battery_pct
      ELSE 0.0 END AS fell
  FROM timeline
), c AS (
  SELECT vehicle_id, cycle_no,
    min(event_at) FILTER (is_start) AS started_at, min(event_at) FILTER (is_end) AS stopped_at,
    max(CASE
      WHEN vehicle_state = 'non_operational' AND contains(y, '+battery_low+') THEN 'battery_low'
      WHEN vehicle_state = 'non_operational' AND contains(y, '+maintenance+') THEN 'maintenance'
      WHEN vehicle_state = 'non_operational' AND contains(y, '+off_hours+') THEN 'off_hours'
      WHEN vehicle_state = 'non_operational' AND contains(y, '+system_suspend+')
        THEN 'system_suspend'
      WHEN vehicle_state = 'removed' THEN 'collected'
      WHEN vehicle_state = 'missing' THEN 'missing'
      WHEN vehicle_state = 'non_contactable' THEN 'comms_lost'
      WHEN vehicle_state = 'elsewhere' THEN 'left_jurisdiction'
      ELSE 'unspecified' END) FILTER (is_end) AS stop_cause,
    max(start_kind) FILTER (is_start) AS start_kind,
    bool_or(start_kind = 'swap' OR starts_with(event_id, 'seen:')) FILTER (is_start)
      AS start_unsaid,
    bool_or(starts_with(event_id, 'seen:')) FILTER (is_end) AS stop_unsaid,
    bool_or(before IS NULL) FILTER (is_start) AS first_ever,
    max(cell) FILTER (is_start) AS entry_cell, max(cell) FILTER (is_end OR is_last) AS exit_cell,
    max(battery_pct) FILTER (is_start) AS entry_battery_pct,
    max(battery_pct) FILTER (is_end OR is_last) AS exit_battery_pct,
    coalesce(sum(fell) FILTER (fell > 0), 0.0) AS battery_used_pct,
    coalesce(sum(hours) FILTER (phase = 'operational'), 0.0) AS operational_h,
    coalesce(sum(hours) FILTER (phase = 'pending'), 0.0) AS pending_h,
    coalesce(sum(hours) FILTER (phase = 'task'), 0.0) AS task_h,
    coalesce(sum(hours) FILTER (phase = 'censored'), 0.0) AS paused_h,
    bool_or(phase = 'task') AS had_task,
    max(y) FILTER (phase = 'task' AND coalesce(before <> 'task', true) AND regexp_matches(y,
      '[+]((agency|compliance|maintenance|rebalance)_pick_up|decommissioned)[+]')) AS pick_up
  FROM t GROUP BY ALL
), n AS (
  SELECT *, lag(had_task) OVER v AS came_from_task, lag(stop_cause) OVER v AS cause_before,
    coalesce(lag(pick_up) OVER v, '') AS picked_up, lead(started_at) OVER v AS after_at,
    lead(start_kind) OVER v AS after_kind, lead(start_unsaid) OVER v AS after_unsaid
  FROM c WINDOW v AS (PARTITION BY vehicle_id ORDER BY cycle_no)
), m AS (
  SELECT *, CASE WHEN stop_cause IS NOT NULL THEN stop_cause
      WHEN after_at IS NULL THEN 'end_of_data'
      WHEN after_kind IN ('charge', 'swap') THEN 'swapped' ELSE 'collected' END AS end_cause,
    coalesce(stopped_at, after_at, $data_end) AS ended_at,
    CASE WHEN stop_cause IS NOT NULL THEN NOT stop_unsaid WHEN after_at IS NULL THEN true
      ELSE after_kind IN ('charge', 'swap') AND NOT after_unsaid END AS end_declared,
    coalesce(start_kind <> 'resumed' OR came_from_task OR cause_before IN ({observed}), false)
      AS is_fresh,
    start_kind = 'drop-off' OR start_kind = 'resumed' AND coalesce(came_from_task, false)
      AS inherits,
    CASE WHEN inherits AND contains(picked_up, '+rebalance_pick_up+') THEN 'rebalance'
      WHEN inherits AND contains(picked_up, '+maintenance_pick_up+') THEN 'maintenance'
      WHEN inherits AND contains(picked_up, '+compliance_pick_up+') THEN 'compliance'
      WHEN inherits AND contains(picked_up, '+agency_pick_up+') THEN 'agency'
      WHEN start_kind = 'resumed' AND first_ever THEN 'first seen'
      ELSE start_kind END AS start_cause
  FROM n
), a AS (
  SELECT *, count(*) FILTER (is_fresh) OVER (PARTITION BY vehicle_id ORDER BY cycle_no) AS life
  FROM m
), l AS (
  SELECT *, life > 0 AS start_observed, end_cause IN ({observed}) AS event_observed,
    sum(operational_h) OVER (PARTITION BY vehicle_id, life ORDER BY cycle_no) - operational_h
      AS entry_age_h
  FROM a WHERE cycle_no > 0
), r AS (
  SELECT l.vehicle_id, l.cycle_no, count(*) AS trips, sum(gross) AS revenue, sum(net) AS net_revenue
  FROM priced p ASOF JOIN l ON p.vehicle_id = l.vehicle_id AND p.started_at >= l.started_at
  WHERE p.started_at < l.ended_at GROUP BY ALL
)
SELECT l.vehicle_id, l.cycle_no, started_at, ended_at, end_cause, event_observed, start_cause,
  start_observed, NOT start_unsaid AS start_declared, end_declared, entry_age_h,
  operational_h, pending_h, task_h, paused_h,
  coalesce(trips, 0) AS trips, coalesce(revenue, 0.0) AS revenue,
  coalesce(net_revenue, 0.0) AS net_revenue, entry_battery_pct, exit_battery_pct,
  battery_used_pct, entry_cell, exit_cell
FROM l LEFT JOIN r USING (vehicle_id, cycle_no)
"""

SNAPSHOT = """
WITH s AS (
  SELECT DISTINCT ON (vehicle_id) vehicle_id, vehicle_state, event_types, event_at, lat, lon
  FROM events WHERE event_at <= $data_end ORDER BY vehicle_id, event_at DESC, event_id DESC
), c AS (
  SELECT DISTINCT ON (vehicle_id) vehicle_id, event_at, battery_pct
  FROM events WHERE event_at <= $data_end AND battery_pct IS NOT NULL
  ORDER BY vehicle_id, event_at DESC, event_id DESC
), f AS (
  SELECT vehicle_id, min(event_at) AS first_at FROM events WHERE event_at <= $data_end GROUP BY ALL
), p AS (
  SELECT vehicle_id, max(recorded_at) AS seen_at, arg_max(lat, recorded_at) AS lat,
    arg_max(lon, recorded_at) AS lon,
    max(recorded_at) FILTER (battery_pct IS NOT NULL) AS charged_at,
    arg_max(battery_pct, recorded_at) FILTER (battery_pct IS NOT NULL) AS battery_pct
  FROM telemetry WHERE recorded_at <= $data_end GROUP BY ALL
), r AS (
  SELECT vehicle_id, max(ended_at) AS last_trip_at
  FROM trips WHERE ended_at <= $data_end AND NOT starts_with(trip_id, 'gap:') GROUP BY ALL
)
SELECT s.vehicle_id, vehicle_state, event_types,
  CASE WHEN seen_at > s.event_at THEN p.lat ELSE s.lat END AS lat,
  CASE WHEN seen_at > s.event_at THEN p.lon ELSE s.lon END AS lon,
  CASE WHEN c.event_at IS NULL OR charged_at > c.event_at
    THEN p.battery_pct ELSE c.battery_pct END AS battery_pct,
  last_trip_at,
  (epoch_us($data_end) - epoch_us(coalesce(last_trip_at, first_at))) / 3.6e9 AS idle_h
FROM s JOIN f USING (vehicle_id) LEFT JOIN c USING (vehicle_id) LEFT JOIN p USING (vehicle_id)
  LEFT JOIN r USING (vehicle_id)
ORDER BY s.vehicle_id
"""

# Where each rentable vehicle stood at each full hour, and what its cycle earned from then on.
HOURS = """
CREATE OR REPLACE TEMP TABLE hours AS
WITH stays AS (
  SELECT vehicle_id, cycle_no, cell, known AS battery_pct,
    unnest(range(date_trunc('hour', event_at - INTERVAL 1 MICROSECOND) + INTERVAL 1 HOUR, next_at,
      INTERVAL 1 HOUR)) AS hour_at
  FROM timeline WHERE phase = 'operational' AND event_at < next_at
), h AS (
  SELECT s.*, k.local_weekday, k.local_hour, l.ended_at, l.revenue AS cycle_gross,
    l.net_revenue AS cycle_net
  FROM stays s JOIN calendar k USING (hour_at) JOIN ledger l USING (vehicle_id, cycle_no)
), p AS (
  SELECT q.vehicle_id, q.cycle_no, p.started_at, sum(gross) OVER c AS gross, sum(net) OVER c AS net
  FROM priced p ASOF JOIN ledger q
    ON p.vehicle_id = q.vehicle_id AND p.started_at >= q.started_at
  WHERE p.started_at < q.ended_at
  WINDOW c AS (PARTITION BY q.vehicle_id, q.cycle_no ORDER BY p.started_at
    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
)
SELECT h.vehicle_id, h.cycle_no, h.hour_at, h.local_weekday, h.local_hour, h.cell, h.battery_pct,
  (epoch_us(ended_at) - epoch_us(h.hour_at)) / 3.6e9 AS hours_to_end,
  cycle_gross - coalesce(p.gross, 0.0) AS revenue_to_end,
  cycle_net - coalesce(p.net, 0.0) AS net_revenue_to_end
FROM h ASOF LEFT JOIN p
  ON h.vehicle_id = p.vehicle_id AND h.cycle_no = p.cycle_no AND h.hour_at > p.started_at
"""

RATES = """
SELECT left(cell, {precision}) AS cell, local_weekday, sum(revenue_to_end) AS revenue,
  sum(hours_to_end) AS hours, count(*) AS snapshots
FROM hours GROUP BY ALL ORDER BY ALL
"""

REGIONS = """
SELECT left(start_cell, 5) AS region, count(*) AS trips, sum(gross) AS revenue,
  sum(used) FILTER (used >= 0) AS used, count(used) FILTER (used >= 0) AS measured
FROM priced GROUP BY ALL ORDER BY ALL
"""

FEATURES = """
SELECT cell, local_weekday, local_hour, count(*) AS vehicle_hours, avg(battery_pct) AS battery_pct
FROM hours GROUP BY ALL ORDER BY ALL
"""

# Every service between two cycles of a vehicle, with what the vehicle earned up to the horizon.
VISITS = """
CREATE OR REPLACE TEMP TABLE visits AS
WITH a AS (
  SELECT *, coalesce(end_cause = 'maintenance' AND lead(start_cause) OVER v = 'charge', false)
    AS there, end_cause IN ('collected', 'swapped') OR there AS by_crew
  FROM ledger WINDOW v AS (PARTITION BY vehicle_id ORDER BY cycle_no)
), b AS (
  SELECT *, lag(end_cause) OVER v AS cause_before, lag(by_crew) OVER v AS rentable_before,
    lag(exit_cell) OVER v AS cell_before, lag(exit_battery_pct) OVER v AS battery_before_pct,
    CASE WHEN lag(there) OVER v THEN lag(ended_at) OVER v
      ELSE started_at - to_microseconds(CAST(3.6e9 * coalesce(lag(task_h) OVER v, 0) AS BIGINT))
      END AS began_at
  FROM a WINDOW v AS (PARTITION BY vehicle_id ORDER BY cycle_no)
), c AS (
  SELECT *, began_at + to_hours({horizon}) AS horizon_at,
    CASE WHEN by_crew OR end_cause NOT IN ('battery_low', 'maintenance')
      THEN least(ended_at, horizon_at) ELSE horizon_at END AS until_at
  FROM b WHERE cause_before IS NOT NULL AND start_cause NOT IN ('resumed', 'first seen')
), r AS (
  SELECT c.vehicle_id, c.cycle_no, sum(gross) AS revenue, sum(net) AS net_revenue
  FROM priced p ASOF JOIN c ON p.vehicle_id = c.vehicle_id AND p.started_at >= c.started_at
  WHERE p.started_at < least(c.until_at, c.ended_at) GROUP BY ALL
)
SELECT c.* EXCLUDE (revenue, net_revenue), coalesce(r.revenue, 0.0) AS revenue,
  coalesce(r.net_revenue, 0.0) AS net_revenue
FROM c LEFT JOIN r USING (vehicle_id, cycle_no)
WHERE horizon_at <= $data_end OR end_cause <> 'end_of_data'
"""

# What those tasks returned: less what the cell's rate would have brought, and less their cost.
RETURNS = """
SELECT count(*), sum(v.revenue), sum(v.revenue - {cost} - CASE WHEN rentable_before
    THEN {horizon} * coalesce(s.revenue / s.hours, 0.0) ELSE 0.0 END)
FROM visits v LEFT JOIN (
  SELECT left(cell, {precision}) AS cell, sum(revenue_to_end) AS revenue,
    sum(hours_to_end) AS hours FROM hours GROUP BY ALL
) s ON s.cell = left(v.cell_before, {precision})
"""
