"""The rules by which a sweep tells outcomes apart, each with what just keeps it and what just breaks it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.proving.card_state import CardState
from harness.proving.sweep.outcome import Judged, Outcome, Ran, Sound, judge

OLD, NEW = "510100", "510700"


def card(*regions: str, telephone: str = "1", pin: int = 3, key: int = 3, **more: str) -> CardState:
    """A card whose insurances are at these regions."""
    parts = {f"DF03/EF{number}/61": region for number, region in enumerate(regions)}
    parts |= {"DF01/EF06/28": telephone, "tries/PIN": str(pin), "tries/UK1DF03": str(key)} | more
    return CardState(parts, {"tries/PIN": pin, "tries/UK1DF03": key}, (), ())


BEFORE, AFTER, HALF = card(OLD, OLD), card(NEW, NEW), card(NEW, OLD)
SOUND = Sound(before=BEFORE, after=AFTER, again=AFTER, output=True)
FAILED = {"succeeded": False}


def judged(
    first: CardState | Ran, second: CardState | Ran, sound: Sound = SOUND, broken: tuple[str, ...] = ()
) -> Judged:
    runs = [one if isinstance(one, Ran) else Ran(one) for one in (first, second)]
    return judge(sound, *runs, reached=True, broken=frozenset(broken))


def outcome(first: CardState | Ran, second: CardState | Ran, sound: Sound = SOUND, *broken: str) -> Outcome:
    return judged(first, second, sound, broken).outcome


def failed(left: CardState) -> Ran:
    return Ran(left, succeeded=False)


# --- good ----------------------------------------------------------------------------------------------------------


def test_who_does_the_work_all_the_same_is_unharmed() -> None:
    assert judged(AFTER, AFTER) == Judged(Outcome.UNHARMED)


@pytest.mark.parametrize("left", [BEFORE, AFTER], ids=["nothing done", "all done"])
def test_who_says_that_it_failed_and_leaves_a_whole_card_has_noticed(left: CardState) -> None:
    assert outcome(failed(left), AFTER) is Outcome.NOTICED


def test_what_a_second_run_mends_is_recovered() -> None:
    found = judged(failed(HALF), AFTER)
    assert found.outcome is Outcome.RECOVERED
    assert found.reasons == ("DF03/EF1/61 was left undone, and mended by the second run",)


def test_a_try_that_the_second_run_gives_back_is_recovered() -> None:
    for left in (card(OLD, OLD, pin=2), card(OLD, OLD, key=1), card(NEW, NEW, key=2)):
        assert outcome(failed(left), AFTER) is Outcome.RECOVERED
    assert outcome(card(NEW, NEW, key=2), AFTER) is Outcome.RECOVERED, "also where it says that it did its work"


# --- harm ----------------------------------------------------------------------------------------------------------


def test_a_half_written_card_that_no_second_run_mends_is_harmed() -> None:
    found = judged(failed(HALF), failed(HALF))
    assert found.outcome is Outcome.HARMED
    assert "left half-written: DF03/EF1/61" in found.reasons[0]


def test_work_that_no_second_run_does_is_harmed() -> None:
    found = judged(failed(BEFORE), failed(BEFORE))
    assert found.outcome is Outcome.HARMED
    assert found.reasons == ("the work is not done, and a second run does not do it either",)


def test_a_second_run_that_fails_on_a_card_that_is_done_is_harmed_unless_it_always_does() -> None:
    assert outcome(failed(AFTER), failed(AFTER)) is Outcome.HARMED
    assert outcome(failed(AFTER), failed(AFTER), replace(SOUND, again_succeeds=False)) is Outcome.NOTICED


@pytest.mark.parametrize("left", [BEFORE, HALF], ids=["nothing", "half"])
def test_success_that_the_card_does_not_bear_out_is_harmed_even_if_mended_later(left: CardState) -> None:
    found = judged(left, AFTER)
    assert found.outcome is Outcome.HARMED
    assert found.reasons[0].startswith("it claims success, but DF03/EF")


def test_a_try_that_stays_lost_is_harmed() -> None:
    found = judged(failed(BEFORE), card(NEW, NEW, pin=2))
    assert found == Judged(Outcome.HARMED, ("a try of PIN was lost, and the second run does not give it back",))


def test_tries_that_the_sound_run_costs_too_are_not_lost() -> None:
    spends = replace(SOUND, after=card(NEW, NEW, pin=2), again=card(NEW, NEW, pin=1))
    assert outcome(card(NEW, NEW, pin=2), card(NEW, NEW, pin=2), spends) is Outcome.UNHARMED
    assert outcome(card(NEW, NEW, pin=2), card(NEW, NEW, pin=1), spends) is Outcome.HARMED


def test_what_the_sound_run_leaves_alone_must_stay() -> None:
    strange = card(NEW, NEW, telephone="2")
    found = judged(failed(strange), strange)
    assert found.outcome is Outcome.HARMED
    assert found.reasons[0] == "it wrote DF01/EF06/28, which the sound run leaves alone"


def test_an_item_that_cannot_be_read_any_more_is_harm() -> None:
    spoilt = replace(AFTER, malformed=("DF03/EF0/61",))
    assert outcome(failed(BEFORE), spoilt) is Outcome.HARMED
    assert (
        outcome(AFTER, spoilt, replace(SOUND, before=replace(BEFORE, malformed=spoilt.malformed))) is Outcome.UNHARMED
    )


@pytest.mark.parametrize("second", [False, True])
def test_wrong_output_is_harmed_whichever_run_shows_it(second: bool) -> None:
    wrong = Ran(AFTER, wrong=("it printed another name",))
    found = judged(*((AFTER, wrong) if second else (wrong, AFTER)))
    assert found.outcome is Outcome.HARMED
    assert "it printed another name" in found.reasons[0]


def test_a_rule_that_the_sound_run_keeps_must_be_kept() -> None:
    assert judged(AFTER, AFTER, SOUND, ("PIN-LAST-TRY",)) == Judged(Outcome.HARMED, ("PIN-LAST-TRY is broken",))
    known = replace(SOUND, broken=frozenset({"PIN-LAST-TRY"}))
    assert outcome(AFTER, AFTER, known, "PIN-LAST-TRY") is Outcome.UNHARMED


# --- work that shows on the card how often it was done ------------------------------------------------------------


PAID, TWICE = card(OLD, OLD, balance="90"), card(OLD, OLD, balance="80")
PAYS = Sound(before=card(OLD, OLD, balance="100"), after=PAID, again=TWICE, output=True)


def test_a_debit_that_is_done_twice_is_harmed() -> None:
    found = judged(failed(PAID), TWICE, PAYS)
    assert found.outcome is Outcome.HARMED
    assert "the second run did it once more: balance" in found.reasons[0]
    assert "it did the work twice" in judged(TWICE, TWICE, PAYS).reasons[0]


def test_a_debit_that_is_done_once_is_not() -> None:
    assert outcome(failed(PAID), PAID, PAYS) is Outcome.NOTICED, "the second run saw that it was done"
    assert outcome(failed(PAYS.before), PAID, PAYS) is Outcome.NOTICED
    assert outcome(PAID, TWICE, PAYS) is Outcome.UNHARMED, "who runs it twice wants it twice"


# --- ends ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("end", "expected"), [({"crashed": "it was killed by SIGSEGV"}, Outcome.CRASHED), ({"hung": True}, Outcome.HUNG)]
)
def test_a_crash_or_a_hang_is_told_though_the_card_is_whole(end: dict[str, object], expected: Outcome) -> None:
    ended = replace(failed(BEFORE), **end)  # type: ignore[arg-type]
    assert outcome(ended, AFTER) is expected
    assert outcome(failed(BEFORE), replace(failed(AFTER), **end)) is expected, "of the second run too"  # type: ignore[arg-type]
    assert outcome(ended, HALF) is Outcome.HARMED, "harm to the card is worse"


def test_what_a_crash_prints_is_not_shown_as_right() -> None:
    crashed = replace(failed(BEFORE), crashed="it ended with KeyError", wrong=("it printed a traceback",))
    assert judged(crashed, AFTER) == Judged(Outcome.CRASHED, ("it ended with KeyError",))


# --- what was not judged -------------------------------------------------------------------------------------------


def test_a_fault_that_never_came_proves_nothing() -> None:
    found = judge(SOUND, Ran(AFTER), Ran(AFTER), reached=False)
    assert (found.outcome, found.output_judged) == (Outcome.NOT_REACHED, False)


def test_output_is_judged_where_something_is_demanded_or_nothing_was_printed() -> None:
    undemanded = replace(SOUND, output=False)
    assert not judged(AFTER, AFTER, undemanded).output_judged
    silent = Ran(AFTER, printed=False)
    assert judged(silent, silent, undemanded).output_judged
    assert not judged(silent, AFTER, undemanded).output_judged
    assert judged(AFTER, AFTER).output_judged


# --- cells that never are the same ---------------------------------------------------------------------------------


def test_a_cell_that_varies_by_itself_must_change_when_it_is_due_and_only_then() -> None:
    sound = Sound(
        before=card(OLD, time="0"), after=card(NEW, time="7"), again=card(NEW, time="8"), varying=frozenset({"time"}),
        output=True,
    )  # fmt: skip
    assert outcome(card(NEW, time="9"), card(NEW, time="10"), sound) is Outcome.UNHARMED
    found = judged(card(NEW, time="0"), card(NEW, time="9"), sound)
    assert found.reasons == ("it claims success, but time is not on the card as the sound run leaves it",)
