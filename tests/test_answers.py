"""From archived bytes to a payload: every coding that is read, and every half that is refused."""

from __future__ import annotations

import gzip
import time
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harvest import answers
from harvest.answers import (
    MAX_INTERIM_ANSWERS,
    Answer,
    BrokenAnswer,
    body_forms,
    read_answer,
    read_head,
    split_final,
    split_head,
)
from tests.site_server import chunk

TEXT = "Une épicerie itinérante dessert dix communes du plateau.\n".encode() * 40
ZIPPED = gzip.compress(TEXT, mtime=0)


def read(body: bytes, *headers: str, status: str = "200 OK") -> Answer:
    return read_answer("\r\n".join([f"HTTP/1.1 {status}", *headers, "", ""]).encode("latin-1") + body)


def refusal(body: bytes, *headers: str) -> str:
    with pytest.raises(BrokenAnswer) as caught:
        read(body, *headers)
    return str(caught.value)


# --- head


def test_status_and_headers_are_read_in_their_order() -> None:
    got = read(b"x", "X-B: 1", "x-a:  deux ", "X-B: 3", status="404 Not Found")
    assert (got.status, got.headers) == (404, (("x-b", "1"), ("x-a", "deux"), ("x-b", "3")))
    assert got.header("x-b") == "1"
    assert got.header("absent") is None


@pytest.mark.parametrize(
    "head", [b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nA: b\r\n", b"HTTP/1.1 200 OK\r\nA: b\r", b""]
)
def test_an_answer_that_ends_within_its_headers_is_refused(head: bytes) -> None:
    with pytest.raises(BrokenAnswer, match="within its headers"):
        read_answer(head)


@pytest.mark.parametrize("line", [b"<html>", b"ICY 200 OK", b"HTTP/1.1 OK", b"HTTP/1.1 20"])
def test_without_a_status_line_there_is_no_answer(line: bytes) -> None:
    with pytest.raises(BrokenAnswer, match="no HTTP status line"):
        read_answer(line + b"\r\n\r\nx")


def test_bare_line_feeds_end_a_head_too() -> None:
    assert split_head(b"HTTP/1.0 200 OK\nA: b\n\nbody\n\n") == (b"HTTP/1.0 200 OK\nA: b\n\n", b"body\n\n")
    assert read_answer(b"HTTP/2 200 OK\nA: b\n\nbody").content == b"body"


def test_a_folded_line_goes_on_the_one_before_and_a_line_without_a_colon_is_no_header() -> None:
    assert read(b"", "A: b", " folded: c", "\t d", "nothing", "E:", " f").headers == (
        ("a", "b folded: c d"),
        ("e", "f"),
    )


@pytest.mark.parametrize("fold", ["\r\n ", "\r\n\t", "\n  ", " \r\n \r\n "], ids=["space", "tab", "lf", "two"])
def test_a_folded_coding_or_length_is_obeyed_as_h11_obeys_it(fold: str) -> None:
    assert read(chunk(TEXT[:300], TEXT[300:]), f"Transfer-Encoding:{fold}chunked").content == TEXT
    assert read(ZIPPED, f"Content-Encoding:{fold}gzip").content == TEXT
    assert "announced" in refusal(TEXT[:-1], f"Content-Length:{fold}{len(TEXT)}")
    assert "br" in refusal(TEXT, f"Content-Encoding:{fold}br")


@pytest.mark.parametrize(
    ("header", "media_type", "charset"),
    [
        ("text/html; charset=utf-8", "text/html", "utf-8"),
        ('Text/HTML;CHARSET="ISO-8859-1"', "text/html", "ISO-8859-1"),
        ("text/html", "text/html", None),
        ("text/html; charset=", "text/html", None),
        ("", "", None),
        ("; charset=utf-8", "", "utf-8"),
        ("text/html; charset=é", "text/html", "é"),
    ],
)
def test_media_type_and_charset_are_what_the_header_says(header: str, media_type: str, charset: str | None) -> None:
    got = read(b"", "Content-Length: 0", f"Content-Type: {header}")
    assert (got.media_type, got.charset) == (media_type, charset)


@pytest.mark.parametrize("sign", ["\x85", "\x0b", "\x0c", "\x1c"])
def test_only_a_line_end_ends_a_header(sign: str) -> None:
    got = read(b"x", f"X-Title: a{sign}Content-Encoding: br")
    assert got.header("content-encoding") is None
    assert got.content == b"x"


# --- chunks


@given(st.lists(st.binary(min_size=1, max_size=300), max_size=8))
def test_taking_chunks_apart_is_the_inverse_of_making_them(parts: list[bytes]) -> None:
    assert read(chunk(*parts), "Transfer-Encoding: chunked").content == b"".join(parts)


def test_chunk_extensions_and_trailers_are_not_content() -> None:
    body = b'5;name=value\r\nhello\r\n6 ;x="y;z"\r\n world\r\n0;last\r\nX-Trailer: 1\r\n\r\n'
    assert read(body, "Transfer-Encoding: Chunked").content == b"hello world"
    assert read(b"5\nhello\n0\n\n", "Transfer-Encoding: chunked").content == b"hello"
    assert read(b"00005\r\nhello\r\n0000\r\n\r\n", "Transfer-Encoding: chunked").content == b"hello"


def test_chunked_in_the_header_over_a_body_already_decoded_is_left_as_it_is() -> None:
    assert read(b"<html>tout</html>", "Transfer-Encoding: chunked").content == b"<html>tout</html>"
    assert read(TEXT, "Transfer-Encoding: chunked", "Content-Encoding: gzip").content == TEXT


def test_a_chunked_body_cut_anywhere_is_refused() -> None:
    whole = chunk(TEXT[:50], TEXT[50:99], TEXT[99:130])
    content_end = whole.rindex(b"0\r\n\r\n") + len(b"0\r\n")
    # before the first chunk's line is whole nothing tells a cut from a body that another program decoded
    for cut in range(whole.index(b"\r\n") + 2, content_end):
        with pytest.raises(BrokenAnswer, match="cut"):
            read(whole[:cut], "Transfer-Encoding: chunked")
    assert read(whole[:content_end], "Transfer-Encoding: chunked").content == TEXT[:130]


def test_chunks_around_gzip_are_undone_in_that_order() -> None:
    body = chunk(ZIPPED[:7], ZIPPED[7:])
    assert read(body, "Transfer-Encoding: chunked", "Content-Encoding: gzip").content == TEXT


# --- lengths


def test_a_body_shorter_than_announced_is_refused() -> None:
    assert refusal(b"abc", "Content-Length: 4") == "3 bytes of the 4 announced"
    assert read(b"abcd", "Content-Length: 4").content == b"abcd"
    assert read(b"abcd").content == b"abcd"


@pytest.mark.parametrize("body", [b"<html>la premi", b"", b"<html></body>"])
def test_a_page_without_length_or_end_mark_may_have_been_cut(body: bytes) -> None:
    assert "may have been cut" in refusal(body, "Content-Type: text/html")
    assert read(body, "Content-Type: text/html", status="404 Not Found").content == body
    assert read(body, "Content-Type: text/plain").content == body
    assert read(body, "Content-Type: text/html", f"Content-Length: {len(body)}").content == body


@pytest.mark.parametrize("end", [b"</html>", b"</HTML >\n\n", b"</html>\n<!-- cached 12:00 -->"])
def test_a_page_with_its_end_mark_is_whole(end: bytes) -> None:
    assert read(b"<html>tout" + end, "Content-Type: text/html").content == b"<html>tout" + end


def test_an_interim_answer_is_passed_over() -> None:
    early = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n"
    got = read_answer(early + b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    assert (got.status, got.content) == (200, b"ok")
    with pytest.raises(BrokenAnswer):
        read_answer(early)


def test_answers_that_never_come_to_their_point_are_refused_however_many() -> None:
    interim, last = b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    assert read_answer(interim * MAX_INTERIM_ANSWERS + last).content == b"ok"
    assert body_forms(interim * MAX_INTERIM_ANSWERS + last) == (b"ok", b"ok", b"ok")
    endless = interim * 400_000 + last
    started = time.process_time()
    for refuse in (read_answer, body_forms, read_head, split_final):
        for long in (interim * (MAX_INTERIM_ANSWERS + 1) + last, endless):
            with pytest.raises(BrokenAnswer, match="more than 10 interim answers"):
                refuse(long)
    # each passed over by a copy of the rest would be minutes
    assert time.process_time() - started < 2.0


@pytest.mark.parametrize("length", ["", "-1", "many", "4, 4"])
def test_a_length_that_is_no_number_says_nothing(length: str) -> None:
    assert read(b"abc", f"Content-Length: {length}").content == b"abc"


# --- gzip


@pytest.mark.parametrize("coding", ["gzip", "x-gzip", " GZIP "])
def test_a_whole_gzip_body_is_read(coding: str) -> None:
    assert read(ZIPPED, f"Content-Encoding: {coding}", f"Content-Length: {len(ZIPPED)}").content == TEXT


def test_all_members_of_a_gzip_body_are_read() -> None:
    body = gzip.compress(TEXT[:100]) + gzip.compress(b"") + gzip.compress(TEXT[100:])
    assert read(body, "Content-Encoding: gzip").content == TEXT


def test_what_follows_a_long_gzip_member_is_read_too() -> None:
    # zlib names what follows a member twice once it gives the member out in more than one step
    long = b"".join(b"<p>%d</p>" % number for number in range(150_000))
    for more in (b"", b"x", TEXT, long):
        body = gzip.compress(long) + gzip.compress(more) + gzip.compress(TEXT)
        assert read(body, "Content-Encoding: gzip").content == long + more + TEXT


def test_gzip_in_the_header_over_a_body_already_decoded_is_left_as_it_is() -> None:
    # the length is often that of the coded body, which a small page does not reach once decoded
    assert read(b"<p>a</p>", "Content-Encoding: gzip", "Content-Length: 28").content == b"<p>a</p>"


def test_a_gzip_body_cut_at_any_byte_is_refused() -> None:
    for cut in range(2, len(ZIPPED)):
        with pytest.raises(BrokenAnswer, match="cut before its end"):
            read(ZIPPED[:cut], "Content-Encoding: gzip", f"Content-Length: {cut}")


def test_a_second_member_cut_at_any_byte_is_refused() -> None:
    for cut in range(1, len(ZIPPED)):
        with pytest.raises(BrokenAnswer):
            read(ZIPPED + ZIPPED[:cut], "Content-Encoding: gzip")


@pytest.mark.parametrize("status", ["301 Moved Permanently", "404 Not Found"])
def test_an_answer_without_a_body_has_no_coding_to_undo(status: str) -> None:
    assert read(b"", "Content-Encoding: gzip", "Content-Length: 0", status=status).content == b""


@pytest.mark.parametrize("cut", [0, 1])
def test_a_gzip_body_cut_before_its_third_byte_is_refused(cut: int) -> None:
    refusal(ZIPPED[:cut], "Content-Encoding: gzip", f"Content-Length: {len(ZIPPED)}")


def test_an_empty_page_called_gzip_is_a_cut_one() -> None:
    assert "cut before its end" in refusal(b"", "Content-Encoding: gzip", "Content-Length: 0")


@pytest.mark.parametrize("body", [b"\x1e" + ZIPPED[1:], b"\x00" * 20, b"<p>\x1b[31m</p>", zlib.compress(TEXT)[1:]])
def test_what_is_called_gzip_and_is_neither_that_nor_text_is_refused(body: bytes) -> None:
    assert refusal(body, "Content-Encoding: gzip") == "called gzip, and neither that nor text"


def test_a_damaged_gzip_body_is_refused() -> None:
    for place in (12, len(ZIPPED) // 2, len(ZIPPED) - 6, len(ZIPPED) - 2):
        damaged = bytearray(ZIPPED)
        damaged[place] ^= 0x10
        with pytest.raises(BrokenAnswer):
            read(bytes(damaged), "Content-Encoding: gzip")


def test_what_follows_a_gzip_body_and_is_none_is_refused() -> None:
    assert "damaged" in refusal(ZIPPED + b"<!-- cache -->", "Content-Encoding: gzip")


# --- other codings


@pytest.mark.parametrize("coding", ["br", "zstd", "deflate", "compress", "aes128gcm", "gzip, gzip", "gzip, br"])
def test_an_unknown_coding_or_two_of_them_are_refused_by_name(coding: str) -> None:
    assert coding in refusal(ZIPPED, f"Content-Encoding: {coding}")


@pytest.mark.parametrize("coding", ["", "identity", "Identity"])
def test_no_coding_is_no_coding(coding: str) -> None:
    assert read(TEXT, f"Content-Encoding: {coding}").content == TEXT


@pytest.mark.parametrize("second", ["gzip", "br"])
def test_two_lines_of_codings_are_two_codings(second: str) -> None:
    refusal(gzip.compress(ZIPPED), "Content-Encoding: gzip", f"Content-Encoding: {second}")


def test_a_transfer_coding_that_is_not_undone_is_refused() -> None:
    refusal(chunk(ZIPPED), "Transfer-Encoding: gzip, chunked")


# --- bombs


def test_a_bomb_is_stopped_at_the_cap_with_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    cap = 4 * 1024 * 1024
    monkeypatch.setattr(answers, "MAX_CONTENT_BYTES", cap)
    deflate = zlib.compressobj(9, wbits=31)
    bomb = b"".join([*(deflate.compress(bytes(1_000_000)) for _ in range(100)), deflate.flush()])
    assert len(bomb) < 100_000
    tracemalloc.start()
    message = refusal(bomb, "Content-Encoding: gzip")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert message == f"more than {cap} bytes once decoded"
    # zlib's output is built in blocks and joined: twice the cap, and never the bomb
    assert peak < 2 * cap + 1024 * 1024


def test_a_bomb_takes_less_than_32_megabytes() -> None:
    deflate = zlib.compressobj(9, wbits=31)
    bomb = b"".join([*(deflate.compress(bytes(1_000_000)) for _ in range(100)), deflate.flush()])
    tracemalloc.start()
    refusal(bomb, "Content-Encoding: gzip")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 32 * 1024 * 1024


def test_a_bomb_of_many_members_is_stopped_at_the_cap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "MAX_CONTENT_BYTES", 50_000)
    member = gzip.compress(bytes(10_000))
    assert "more than 50000 bytes" in refusal(member * 1000, "Content-Encoding: gzip")
    assert len(read(member * 5, "Content-Encoding: gzip").content) == 50_000


def test_a_body_of_very_many_members_is_refused_at_once() -> None:
    body = gzip.compress(b"", mtime=0) * 400_000
    started = time.perf_counter()
    assert "members" in refusal(body, "Content-Encoding: gzip")
    assert time.perf_counter() - started < 5
