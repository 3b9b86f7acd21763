import gc

from antiphon.frontends.recognise_cache import RecognisedCache, TextCache


class Subject:
    def __init__(self, value: int) -> None:
        self.value = value


def test_an_unchanged_object_is_found_again() -> None:
    cache: RecognisedCache[int, str] = RecognisedCache()
    subject = Subject(1)
    cache.put(subject, 1, "one")

    assert cache.get(subject, lambda copy: copy == subject.value) == "one"


def test_a_changed_object_is_not() -> None:
    cache: RecognisedCache[int, str] = RecognisedCache()
    subject = Subject(1)
    cache.put(subject, 1, "one")
    subject.value = 2

    assert cache.get(subject, lambda copy: copy == subject.value) is None


def test_another_object_at_the_same_address_is_never_taken_for_it() -> None:
    cache: RecognisedCache[int, str] = RecognisedCache()
    for value in range(200):
        subject = Subject(value)
        assert cache.get(subject, lambda _: True) is None
        cache.put(subject, value, str(value))
        del subject
        gc.collect(0)


def test_the_least_recently_used_is_forgotten_first() -> None:
    cache: RecognisedCache[int, int] = RecognisedCache(capacity=2)
    subjects = [Subject(value) for value in range(3)]
    for subject in subjects[:2]:
        cache.put(subject, subject.value, subject.value)
    cache.get(subjects[0], lambda _: True)
    cache.put(subjects[2], 2, 2)

    assert [cache.get(subject, lambda _: True) for subject in subjects] == [0, None, 2]


def test_a_text_is_read_once_as_long_as_what_it_says_is_short() -> None:
    read: list[str] = []

    def reading(text: str) -> str:
        read.append(text)
        return text

    cache: TextCache[str] = TextCache(len, capacity=40)
    for text in ("a" * 9, "b" * 9, "a" * 9, "c" * 11, "c" * 11):
        assert cache.get(text, lambda text=text: reading(text)) == text  # type: ignore[misc]
    assert read == ["a" * 9, "b" * 9, "c" * 11, "c" * 11]
    for text in ("d" * 10, "e" * 10, "f" * 10, "b" * 9):
        cache.get(text, lambda text=text: reading(text))  # type: ignore[misc]
    assert read[-1] == "b" * 9
