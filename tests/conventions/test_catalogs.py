"""Every word people read has its translations; Chinese is the source, so only the others can be missing."""

from pathlib import Path

import pytest

from bot.web import catalogs


def test_every_word_is_translated_with_the_same_placeholders() -> None:
    assert catalogs.problems() == []


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ('msgid "你有 %(n)s 积分"\nmsgstr "You have %(n)s points"\n', []),
        ('msgid "你有 %(n)s 积分"\nmsgstr ""\n', ["is not translated"]),
        ('#, fuzzy\nmsgid "你有 %(n)s 积分"\nmsgstr "You have %(n)s points"\n', ["is marked fuzzy"]),
        ('msgid "你有 %(n)s 积分"\nmsgstr "You have %(m)s points"\n', ["has other placeholders"]),
        ('msgid "你有 %(n)s 积分"\nmsgstr "%(n)s"\n\nmsgid "旧"\nmsgstr "old"\n', ["is not in the source any more"]),
    ],
)
def test_what_is_wrong_with_a_translation_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, expected: list[str]
) -> None:
    (tmp_path / "bot" / "translations").mkdir(parents=True)
    (tmp_path / "bot" / "web.py").write_text('title = _("你有 %(n)s 积分", n=1)\n')
    (tmp_path / "bot" / "translations" / "console.en.po").write_text(said)
    monkeypatch.setattr(catalogs, "ROOT", tmp_path)
    found = catalogs.problems()
    assert len(found) == len(expected)
    assert all(words in sentence for words, sentence in zip(expected, found, strict=True))


def test_words_of_customers_are_asked_for_in_english_and_traditional_chinese(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bot").mkdir()
    (tmp_path / "bot" / "chat.py").write_text('say(locale, "您好")\nsay_count(locale, "一张", "%(count)s 张", n)\n')
    monkeypatch.setattr(catalogs, "ROOT", tmp_path)
    catalogs.update(catalogs.packages())
    made = sorted(path.name for path in (tmp_path / "bot" / "translations").iterdir())
    assert made == ["customer.en.po", "customer.zh_TW.po"]
    assert [sentence.partition(":")[0] for sentence in catalogs.problems()] == [
        "bot/translations/customer.en.po",
        "bot/translations/customer.en.po",
        "bot/translations/customer.zh_TW.po",
    ]


def test_the_traditional_script_is_proposed_and_an_own_translation_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bot").mkdir()
    (tmp_path / "bot" / "chat.py").write_text('say(locale, "您的积分")\nsay(locale, "软件")\n')
    monkeypatch.setattr(catalogs, "ROOT", tmp_path)
    catalogs.update(catalogs.packages())
    file = tmp_path / "bot" / "translations" / "customer.zh_TW.po"
    assert 'msgstr "您的積分"' in file.read_text()
    file.write_text(file.read_text().replace("軟體", "程式"))
    catalogs.update(catalogs.packages())
    assert 'msgstr "程式"' in file.read_text()


def test_a_word_the_machine_has_is_not_asked_of_a_feature(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for package in ("bot", "tags/people"):
        (tmp_path / package).mkdir(parents=True)
        (tmp_path / package / "__init__.py").write_text('_("保存")\n')
    monkeypatch.setattr(catalogs, "ROOT", tmp_path)
    assert catalogs.problems() == ["bot/translations/console.en.po: '保存' is not translated"]
