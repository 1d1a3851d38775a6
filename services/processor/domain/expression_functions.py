"""The functions that an expression may call: pure, scalar, bounded. What is not listed does not exist.

Left out on purpose: whatever reads a clock, a setting, a file or the network, draws at random, depends on the engine's
version (`hash`), makes a long text out of a short one (`repeat`, `range`, `printf`), or takes time that grows with the
square of a text (`levenshtein`, `jaro_winkler_similarity`): the engine looks at its clock only between records.
"""

from dataclasses import dataclass

LONGEST_PADDING = 1000
LONGEST_SEPARATOR = 100


@dataclass(frozen=True, slots=True)
class Function:
    name: str
    fewest: int
    most: int
    takes_json: bool = False
    gives_json: bool = False
    length_argument: int | None = None  # a number written out, at most LONGEST_PADDING
    separator_argument: int | None = None  # a text written out, of at most LONGEST_SEPARATOR characters
    part_argument: int | None = None  # a part of a time, such as 'year', written out
    growing_argument: int | None = None  # may stand in the result as often as the first argument has characters
    searches: bool = False  # the first argument, for the second
    has_pattern: bool = False  # the second argument is a regular expression, written out
    joins: bool = False  # the result is as long as all arguments together


def _functions(fewest: int, most: int, names: str) -> list[Function]:
    return [Function(name, fewest, most) for name in names.split()]


_ANY_NUMBER = 50
_LISTED = [
    *_functions(1, 1, "upper lower length strlen reverse ascii unicode chr md5 sha256 strip_accents url_encode"),
    *_functions(1, 1, "url_decode abs ceil ceiling floor sign sqrt cbrt exp ln log10 log2 radians degrees sin cos tan"),
    *_functions(1, 1, "asin acos atan isnan isinf isfinite even gamma bit_count"),
    *_functions(
        1, 1, "year quarter month day week weekofyear yearweek dayofweek weekday isodow isoyear dayofyear hour"
    ),
    *_functions(1, 1, "minute second millisecond microsecond epoch epoch_ms dayname monthname last_day to_timestamp"),
    *_functions(1, 1, "len list_min list_max list_sort list_reverse list_bool_and list_bool_or"),
    *_functions(1, 2, "trim ltrim rtrim round trunc"),
    *_functions(1, 2, "log array_length"),
    *_functions(2, 2, "left right starts_with ends_with prefix suffix"),
    *_functions(2, 2, "atan2 pow power mod gcd lcm nullif ifnull"),
    *_functions(2, 2, "strftime strptime try_strptime list_contains list_has list_position"),
    *_functions(2, 2, "list_extract list_has_any list_has_all"),
    *_functions(2, 3, "substring substr"),
    *_functions(3, 3, "translate make_date if"),
    *_functions(6, 6, "make_timestamp"),
    *_functions(1, _ANY_NUMBER, "coalesce greatest least"),
    *(Function(name, 2, 2, searches=True) for name in ("contains", "strpos", "instr", "string_split")),
    *(Function(name, 2, 2, part_argument=0) for name in ("date_part", "datepart", "date_trunc", "datetrunc")),
    *(Function(name, 3, 3, part_argument=0) for name in ("date_diff", "datediff", "date_sub", "datesub")),
    Function("split_part", 3, 3, searches=True),
    *(Function(name, 2, 3, has_pattern=True) for name in ("regexp_matches", "regexp_full_match")),
    Function("regexp_extract", 2, 4, has_pattern=True),
    Function("concat", 1, _ANY_NUMBER, joins=True),
    *(Function(name, 2, 2, joins=True) for name in ("list_concat", "list_append")),
    Function("concat_ws", 2, _ANY_NUMBER, separator_argument=0, joins=True),
    Function("array_to_string", 2, 2, separator_argument=1),
    Function("replace", 3, 3, growing_argument=2, searches=True),
    Function("regexp_replace", 3, 4, growing_argument=2, has_pattern=True),
    Function("lpad", 3, 3, length_argument=1),
    Function("rpad", 3, 3, length_argument=1),
    Function("json_extract", 2, 2, takes_json=True, gives_json=True),
    Function("json_extract_string", 2, 2, takes_json=True),
    Function("json_array_length", 1, 2, takes_json=True),
    Function("json_type", 1, 2, takes_json=True),
    Function("json_keys", 1, 2, takes_json=True),
    Function("json_exists", 2, 2, takes_json=True),
]
FUNCTIONS = {function.name: function for function in _LISTED}

CLOCK_WORDS = ["current_date", "current_time", "current_timestamp", "localtime", "localtimestamp"]
NO_CLOCK = "an expression reads no clock, so that a run again gives the same; write the time as TIMESTAMP '…'"
_NO_CHANCE = "an expression draws nothing at random, so that a run again gives the same"
_ONE_RECORD = "an expression sees one record, and adds up none; the step aggregate does"
_AGGREGATES = "sum avg mean count min max median stddev string_agg row_number rank lag lead first last"
LEFT_OUT = {
    **dict.fromkeys(["now", "today", "age", *CLOCK_WORDS], NO_CLOCK),
    **dict.fromkeys(["random", "rand", "uuid", "gen_random_uuid", "setseed"], _NO_CHANCE),
    **dict.fromkeys(_AGGREGATES.split(), _ONE_RECORD),
}
"""What people look for, and why it is not there: the nearest name would lead them astray."""
