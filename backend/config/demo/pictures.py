"""Draws the goods' pictures for Saleor: SVG to WebP in every size that pages ask for.

The sizes are rendered here, straight from the drawing and on all processors, under the names that Saleor's own
thumbnails would have; so nothing is scaled while a visitor waits.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import resvg_py
from PIL import Image

PAPER = "#F4EFE3"
FULL_SIZE = 1080
# AVIF (libaom, quality 60, speed 6) is as near to the drawings with a third less: 6.1 KB for 9.3 at 360 px, 9.7 for 15.0
# at 540, 21 for 34 at 1080, means of all sixty. That is 13 KB of a first screen, 65 ms on slow 4G, whose pictures weigh
# a third of their budget as they are. It would cost a second file beside each WebP, for phones that cannot read AVIF
# (iOS before 16, older WebViews), answers that vary by Accept, and ten times as long to encode.
WEBP_QUALITY = 82
# 2 against Pillow's 4: two thirds of the time for four per cent more bytes.
WEBP_METHOD = 2


@dataclass(frozen=True)
class Drawing:
    """One SVG and the files to make of it: size in pixels and path, for each."""

    svg: Path
    targets: tuple[tuple[int, Path], ...]

    @property
    def is_done(self) -> bool:
        """Whether every file is there and not older than the drawing."""
        drawn_at = self.svg.stat().st_mtime
        return all(path.exists() and path.stat().st_mtime >= drawn_at for _size, path in self.targets)


@contextmanager
def drawing_in_background(drawings: list[Drawing]) -> Iterator[list[Future[Drawing]]]:
    """Draw what is not there yet, in processes of their own while the caller does something else.

    Gives a future for each drawing that is wanted. What was not begun is given up when the caller fails.
    """
    wanted = [drawing for drawing in drawings if not drawing.is_done]
    if not wanted:
        yield []
        return
    # Not forked: this process holds connections to PostgreSQL.
    pool = ProcessPoolExecutor(
        max_workers=min(len(os.sched_getaffinity(0)), len(wanted)), mp_context=get_context("spawn")
    )
    try:
        yield [pool.submit(draw, drawing) for drawing in wanted]
    finally:
        pool.shutdown(cancel_futures=True)


def draw(drawing: Drawing) -> Drawing:
    """Make the files of one drawing; each appears whole or not at all."""
    png = bytes(
        resvg_py.svg_to_bytes(
            svg_path=str(drawing.svg),
            width=FULL_SIZE,
            height=FULL_SIZE,
            background=PAPER,
            # The drawings hold no text.
            skip_system_fonts=True,
        )
    )
    full = Image.open(io.BytesIO(png)).convert("RGB")
    encoded: dict[int, bytes] = {}
    for size, path in drawing.targets:
        if size not in encoded:
            image = full if size == FULL_SIZE else full.resize((size, size), Image.Resampling.LANCZOS)
            buffer = io.BytesIO()
            image.save(buffer, "WEBP", quality=WEBP_QUALITY, method=WEBP_METHOD)
            encoded[size] = buffer.getvalue()
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_name(f".{path.name}.{os.getpid()}")
        aside.write_bytes(encoded[size])
        aside.replace(path)
    return drawing
