"""One vegetable, several names."""

from __future__ import annotations

from backend.common.synonyms import load_groups, load_synonyms, same_names


def test_dialect_names_stand_with_the_name_this_shop_uses() -> None:
    assert frozenset({"莴笋", "莴苣", "青笋"}) in load_synonyms()
    assert same_names()["鱼腥草"] == frozenset({"折耳根", "鱼腥草", "侧耳根", "猪鼻孔"})


def test_a_related_vegetable_is_no_other_name() -> None:
    group = next(group for group in load_groups() if group.preferred == "凤尾")
    assert group.same == {"凤尾", "莴笋尖"}
    assert group.related == {"油麦菜"}
    assert "油麦菜" not in same_names()


def test_no_word_is_blank_or_carries_a_mark() -> None:
    words = [word for group in load_groups() for word in group.same | group.related]
    assert len(load_groups()) > 40
    assert all(word and word == word.strip() and "≈" not in word and "/" not in word for word in words)
