#include "tests/support/activity_log.h"

#include "tests/support/pg_query.h"

namespace tickd::test {

namespace {

constexpr const char* make_root_function = R"(
    CREATE OR REPLACE FUNCTION pg_temp.root_of(h bytea[]) RETURNS bytea LANGUAGE plpgsql AS $$
    BEGIN
        IF coalesce(cardinality(h), 0) = 0 THEN RETURN sha256(''); END IF;
        WHILE cardinality(h) > 1 LOOP
            SELECT array_agg(CASE WHEN r IS NULL THEN l ELSE sha256('\x01'::bytea || l || r) END
                             ORDER BY o) INTO h
              FROM (SELECT e AS l, lead(e) OVER (ORDER BY o) AS r, o
                      FROM unnest(h) WITH ORDINALITY u (e, o)) s WHERE o % 2 = 1;
        END LOOP;
        RETURN h[1];
    END $$)";

constexpr const char* findings = R"(
    WITH chained AS (
        SELECT b.*, convert_from(record, 'UTF8') AS text,
               lag(entry) OVER (PARTITION BY kind, tenant_id ORDER BY index) AS before,
               row_number() OVER (PARTITION BY kind, tenant_id ORDER BY index) AS place
          FROM tickd.activity_batch b)
    SELECT 'index ' || index || ' is not ' || n
      FROM (SELECT index, row_number() OVER (ORDER BY index) - 1 AS n
              FROM tickd.activity_batch) AS numbered WHERE index <> n
    UNION ALL
    SELECT 'entry of ' || index FROM chained WHERE entry <> sha256(record)
    UNION ALL
    SELECT 'chain at ' || index FROM chained
     WHERE kind = 'seg' AND (tseq <> place OR strpos(text, format(
         E'\nindex %s\ntenant %s\ntseq %s\ntprev %s\nids %s %s\nroot %s\n', index,
         coalesce(tenant_id::text, '-'), tseq, coalesce(encode(before, 'hex'), repeat('0', 64)),
         first_id, row_count, encode(root, 'hex'))) = 0)
    UNION ALL
    SELECT 'tenant head ' || h.tenant_key FROM tickd.activity_tenant_head h
     WHERE (tseq, last_entry) IS DISTINCT FROM
           (SELECT ROW (c.tseq, c.entry) FROM chained c WHERE c.kind = 'seg'
               AND coalesce(c.tenant_id, '00000000-0000-0000-0000-000000000000') = h.tenant_key
             ORDER BY index DESC LIMIT 1)
    UNION ALL
    SELECT 'rows of ' || c.index FROM chained c
     WHERE c.kind = 'seg' AND (c.row_count, c.root) IS DISTINCT FROM
           (SELECT ROW (count(*)::integer, pg_temp.root_of(array_agg(
                       sha256('\x00'::bytea || decode(tickd.activity_row_hash(l), 'hex'))
                       ORDER BY l.id)))
              FROM public.unified_activity_log l
             WHERE l.id >= c.first_id AND l.id < c.first_id + c.row_count
               AND l.tenant_id IS NOT DISTINCT FROM c.tenant_id)
    UNION ALL
    SELECT 'rows in no record: ' || n
      FROM (SELECT (SELECT count(*) FROM public.unified_activity_log)
                   - (SELECT coalesce(sum(row_count), 0) FROM tickd.activity_batch) AS n) AS loose
     WHERE n <> 0
    UNION ALL
    SELECT 'head' FROM tickd.activity_head h
     WHERE (h.size, h.root) IS DISTINCT FROM
           (SELECT ROW (count(*), pg_temp.root_of(array_agg(
                       sha256('\x00'::bytea || sha256(record)) ORDER BY index)))
              FROM tickd.activity_batch))";

}  // namespace

std::string wrong_with_activity_log(pg_connection& sql) {
    run(sql, make_root_function);
    std::string found;
    for (const auto& row : rows(sql, findings)) found += row[0] + '\n';
    return found;
}

}  // namespace tickd::test
