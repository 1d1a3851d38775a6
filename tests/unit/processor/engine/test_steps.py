"""Each step on its way, with the exact bytes that come out."""

import pytest

from tests.unit.processor.engine.conftest import Engine

ORDERS = """\
{"id":1,"price":2.5,"qty":2,"who":"ann"}
{"id":2,"price":4.0,"qty":null,"who":"bob"}
{"id":3,"price":0.5,"qty":7,"who":null}
"""

STEPS = [
    ({"derive": {"total": "price * qty"}}, [
     '{"id":1,"price":2.5,"qty":2,"who":"ann","total":5.0}',
     '{"id":2,"price":4.0,"qty":null,"who":"bob","total":null}',
     '{"id":3,"price":0.5,"qty":7,"who":null,"total":3.5}']),
    ({"derive": {"price": "price * 2", "old": "price"}}, ['{"id":1,"price":5.0,"qty":2,"who":"ann","old":2.5}',
     '{"id":2,"price":8.0,"qty":null,"who":"bob","old":4.0}', '{"id":3,"price":1.0,"qty":7,"who":null,"old":0.5}']),
    ({"rename": {"id": "qty", "qty": "id"}}, ['{"qty":1,"price":2.5,"id":2,"who":"ann"}',
     '{"qty":2,"price":4.0,"id":null,"who":"bob"}', '{"qty":3,"price":0.5,"id":7,"who":null}']),
    ({"rename": {"ID": "Id"}}, ['{"Id":1,"price":2.5,"qty":2,"who":"ann"}',
     '{"Id":2,"price":4.0,"qty":null,"who":"bob"}', '{"Id":3,"price":0.5,"qty":7,"who":null}']),
    ({"drop": ["price", "who"]}, ['{"id":1,"qty":2}', '{"id":2,"qty":null}', '{"id":3,"qty":7}']),
    ({"select": ["who", "id"]}, ['{"who":"ann","id":1}', '{"who":"bob","id":2}', '{"who":null,"id":3}']),
    ({"cast": {"id": "VARCHAR", "qty": "double"}}, ['{"id":"1","price":2.5,"qty":2.0,"who":"ann"}',
     '{"id":"2","price":4.0,"qty":null,"who":"bob"}', '{"id":"3","price":0.5,"qty":7.0,"who":null}']),
    ({"filter": "qty > 1 AND who IS NOT NULL"}, ['{"id":1,"price":2.5,"qty":2,"who":"ann"}']),
    ({"sort": ["-qty", "id"]}, ['{"id":3,"price":0.5,"qty":7,"who":null}', '{"id":1,"price":2.5,"qty":2,"who":"ann"}',
     '{"id":2,"price":4.0,"qty":null,"who":"bob"}']),
    ({"sort": ["who"]}, ['{"id":1,"price":2.5,"qty":2,"who":"ann"}', '{"id":2,"price":4.0,"qty":null,"who":"bob"}',
     '{"id":3,"price":0.5,"qty":7,"who":null}']),
    ({"limit": 1}, ['{"id":1,"price":2.5,"qty":2,"who":"ann"}']),
    ({"limit": 0}, []),
]  # fmt: skip


@pytest.mark.parametrize(("step", "expected"), STEPS, ids=lambda value: str(value)[:40])
def test_a_step_gives_exactly_these_bytes(engine: Engine, step: dict[str, object], expected: list[str]) -> None:
    done = engine.run({"orders.ndjson": ORDERS}, {"transformations": [step], "stamp": False})
    assert done.text == "".join(line + "\n" for line in expected)
    assert (done.result.records_in, done.result.records_out, done.result.rejected) == (3, len(expected), 0)


def test_steps_follow_each_other(engine: Engine) -> None:
    steps = [
        {"derive": {"total": "price * qty"}},
        {"filter": "total > 4"},
        {"rename": {"total": "sum"}},
        {"select": ["sum"]},
    ]
    done = engine.run(
        {"orders.ndjson": ORDERS}, {"filter_condition": "id < 3", "transformations": steps, "stamp": False}
    )
    assert done.text == '{"sum":5.0}\n'
    assert done.schema == {"sum": "DOUBLE"}


def test_a_later_step_never_sees_what_an_earlier_one_took_away(engine: Engine) -> None:
    content = "".join(f'{{"x":"{i if i % 3 else "none"}"}}\n' for i in range(30_000))
    steps = [{"filter": "regexp_full_match(x, '[0-9]+')"}, {"filter": "CAST(x AS BIGINT) > 29997"}]
    assert (
        engine.run({"a.ndjson": content}, {"transformations": steps, "stamp": False}).text
        == '{"x":"29998"}\n{"x":"29999"}\n'
    )


def test_ties_keep_their_order(engine: Engine) -> None:
    content = "".join(f'{{"i":{i},"k":{i % 3}}}\n' for i in range(50_000))
    done = engine.run({"a.ndjson": content}, {"transformations": [{"sort": ["k"]}, {"limit": 20_000}], "stamp": False})
    expected = sorted(range(50_000), key=lambda i: i % 3)[:20_000]
    assert done.text == "".join(f'{{"i":{i},"k":{i % 3}}}\n' for i in expected)


def test_a_column_called_record_can_be_sorted_by(engine: Engine) -> None:
    content = '{"record":2,"file":1}\n{"record":1,"file":2}\n'
    done = engine.run({"a.ndjson": content}, {"transformations": [{"sort": ["record"]}], "stamp": False})
    assert done.text == '{"record":1,"file":2}\n{"record":2,"file":1}\n'


def test_a_sort_key_may_start_with_a_minus(engine: Engine) -> None:
    content = '{"-a":2}\n{"-a":1}\n'
    done = engine.run({"a.ndjson": content}, {"transformations": [{"sort": ["-a"]}], "stamp": False})
    assert done.text == '{"-a":1}\n{"-a":2}\n'


def test_the_stamp_is_added(engine: Engine) -> None:
    assert engine.run({"a.ndjson": '{"a":1}\n'}, {}).text == '{"a":1,"processed":true,"processed_at":"NOW"}\n'


def test_the_stamp_takes_the_place_of_columns_of_its_name(engine: Engine) -> None:
    done = engine.run({"a.ndjson": '{"processed":"no","a":1,"Processed_At":7}\n'}, {})
    assert done.text == '{"processed":true,"a":1,"processed_at":"NOW"}\n'
    assert done.schema == {"processed": "BOOLEAN", "a": "BIGINT", "processed_at": "VARCHAR"}


def test_objects_follow_each_other_in_order(engine: Engine) -> None:
    objects = {"a.ndjson": '{"a":1}\n', "b.json": '[{"b":"x","a":2}]', "c.csv": "a,b\n3,y\n"}
    assert engine.run(objects).text == '{"a":1,"b":null}\n{"a":2,"b":"x"}\n{"a":3,"b":"y"}\n'
