"""Pictures at the door: what is refused, with which reason, and what is decoded to what."""

from __future__ import annotations

import io
import struct
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow

from xiaozheng.config.errors import ImageError
from xiaozheng.vision.images import ImageInfo, ImageLimits, decode, decode_scaled, probe

WIDTH, HEIGHT = 301, 203


def gradient(width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """A smooth BGR picture, so that lossy formats come close to it."""
    y, x = np.mgrid[0:height, 0:width]
    planes = [x * 255 / width, y * 255 / height, (x + y) * 255 / (width + height)]
    return np.stack(planes, axis=-1).astype(np.uint8)


def encoded(suffix: str, *options: int, image: np.ndarray | None = None) -> bytes:
    done, data = cv2.imencode(suffix, gradient() if image is None else image, list(options))
    assert done
    return bytes(data)


def pillow(mode: str, file_format: str, **options: object) -> bytes:
    """The gradient through Pillow, in a mode OpenCV does not write."""
    buffer = io.BytesIO()
    picture = Pillow.fromarray(gradient()[:, :, ::-1].copy()).convert(mode)
    picture.save(buffer, file_format, **options)
    return buffer.getvalue()


def png_header(width: int, height: int) -> bytes:
    """A PNG of a few bytes that claims to be of any size."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = chunk(b"IDAT", zlib.compress(b""))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + pixels + chunk(b"IEND", b"")


JPEG = encoded(".jpg")
PROGRESSIVE = encoded(".jpg", cv2.IMWRITE_JPEG_PROGRESSIVE, 1)
PNG = encoded(".png")
WEBP = encoded(".webp")
LOSSY_WEBP = encoded(".webp", cv2.IMWRITE_WEBP_QUALITY, 80)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty"),
        (b"hello, I am a text file called picture.jpg\n" * 40, "unsupported_format"),
        (pillow("P", "GIF"), "unsupported_format"),
        (pillow("RGB", "BMP"), "unsupported_format"),
        (pillow("RGB", "TIFF"), "unsupported_format"),
        (b"\x00\x00\x00\x0cjP  \r\n\x87\n" + b"\0" * 64, "unsupported_format"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "unsupported_format"),
        (png_header(30_000, 30_000), "too_many_pixels"),
        (png_header(2**31 - 1, 2**31 - 1), "too_many_pixels"),
        (png_header(0, 100), "too_small"),
        (encoded(".png", image=gradient(1, 1)), "too_small"),
        (encoded(".jpg", image=gradient(400, 15)), "too_small"),
        (JPEG[:3], "truncated"),
        (PNG[:20], "truncated"),
        (WEBP[:24], "truncated"),
        (LOSSY_WEBP[:27], "truncated"),
        (b"RIFF\x04\0\0\0WEBP", "truncated"),
        (b"RIFF\x20\0\0\0WEBPEVIL" + b"\0" * 32, "unsupported_format"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\x0dEVIL" + b"\0" * 32, "unsupported_format"),
    ],
    ids=lambda value: value if isinstance(value, str) else f"{len(value)}-bytes",
)
def test_probe_refuses(data: bytes, code: str) -> None:
    with pytest.raises(ImageError) as caught:
        probe(data)
    assert caught.value.code == code
    assert str(caught.value)
    assert any("\u4e00" <= c <= "\u9fff" for c in caught.value.message_zh)


def test_an_animation_is_refused() -> None:
    frames = [Pillow.fromarray(gradient() // k) for k in (1, 2)]
    buffer = io.BytesIO()
    frames[0].save(buffer, "WEBP", save_all=True, append_images=frames[1:], duration=100)
    with pytest.raises(ImageError, match="animated") as caught:
        probe(buffer.getvalue())
    assert caught.value.code == "unsupported_format"


def test_limits_are_the_callers() -> None:
    assert probe(JPEG, ImageLimits(max_pixels=WIDTH * HEIGHT)).width == WIDTH
    with pytest.raises(ImageError, match="301×203") as caught:
        probe(JPEG, ImageLimits(max_pixels=WIDTH * HEIGHT - 1))
    assert caught.value.code == "too_many_pixels"
    with pytest.raises(ImageError) as caught:
        probe(JPEG, ImageLimits(max_bytes=len(JPEG) - 1))
    assert caught.value.code == "too_many_bytes"
    with pytest.raises(ImageError) as caught:
        probe(JPEG, ImageLimits(min_side=HEIGHT + 1))
    assert caught.value.code == "too_small"


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (JPEG, "jpeg"),
        (PROGRESSIVE, "jpeg"),
        (pillow("CMYK", "JPEG"), "jpeg"),
        (pillow("L", "JPEG"), "jpeg"),
        (PNG, "png"),
        (encoded(".png", image=gradient().astype(np.uint16) * 257), "png"),
        (pillow("RGBA", "PNG"), "png"),
        (pillow("LA", "PNG"), "png"),
        (pillow("P", "PNG"), "png"),
        (pillow("1", "PNG"), "png"),
        (WEBP, "webp"),
        (LOSSY_WEBP, "webp"),
        (pillow("RGBA", "WEBP"), "webp"),
        (pillow("RGB", "WEBP", lossless=True), "webp"),
        (JPEG + b"\0" * 100, "jpeg"),
    ],
    ids=[
        "jpeg",
        "progressive",
        "cmyk",
        "grey-jpeg",
        "png",
        "png-16-bit",
        "png-alpha",
        "png-grey-alpha",
        "png-palette",
        "png-1-bit",
        "webp",
        "webp-lossy",
        "webp-alpha",
        "webp-lossless",
        "jpeg-padded",
    ],
)
def test_every_variant_becomes_bgr(data: bytes, name: str) -> None:
    info = probe(data)
    assert info == ImageInfo(name, WIDTH, HEIGHT)  # type: ignore[arg-type]
    pixels = decode(data, info)
    assert pixels.shape == (HEIGHT, WIDTH, 3)
    assert pixels.dtype == np.uint8
    assert pixels.mean() == pytest.approx(gradient().mean(), abs=6)


def test_colours_are_blue_green_red() -> None:
    red = np.zeros((32, 32, 3), np.uint8)
    red[:, :, 2] = 255
    for suffix in (".jpg", ".png", ".webp"):
        data = encoded(suffix, image=red)
        assert decode(data, probe(data))[16, 16].tolist() == pytest.approx([0, 0, 255], abs=3)


def test_an_exif_orientation_does_not_turn_the_pixel_grid() -> None:
    exif = Pillow.Exif()
    exif[0x0112] = 6
    data = pillow("RGB", "JPEG", exif=exif)
    info = probe(data)
    assert (info.width, info.height) == (WIDTH, HEIGHT)
    assert decode(data, info).shape == (HEIGHT, WIDTH, 3)


@pytest.mark.parametrize(
    "data", [JPEG, PROGRESSIVE, PNG, WEBP], ids=["jpeg", "prog", "png", "webp"]
)
@settings(max_examples=60, deadline=None)
@given(share=st.floats(0, 0.999))
def test_a_cut_file_never_passes(data: bytes, share: float) -> None:
    cut = data[: int(len(data) * share)]
    with pytest.raises(ImageError) as caught:
        decode(cut, probe(cut))
    assert caught.value.code in {"empty", "truncated", "unsupported_format"}


@settings(max_examples=60, deadline=None)
@given(at=st.integers(16, len(PNG) - 1), flip=st.integers(1, 255))
def test_a_flipped_byte_in_a_png_is_found(at: int, flip: int) -> None:
    broken = bytearray(PNG)
    broken[at] ^= flip
    with pytest.raises(ImageError):
        decode(bytes(broken), probe(bytes(broken)))


def test_a_thumbnails_end_is_not_the_pictures_end() -> None:
    """A cut JPEG whose EXIF thumbnail ends properly is cut all the same."""
    exif = b"\xff\xe1" + struct.pack(">H", 2 + len(JPEG)) + JPEG
    whole = JPEG[:2] + exif + JPEG[2:]
    assert decode(whole, probe(whole)).shape == (HEIGHT, WIDTH, 3)
    cut = whole[: len(whole) - 200]
    assert b"\xff\xd9" in cut
    with pytest.raises(ImageError) as caught:
        decode(cut, probe(cut))
    assert caught.value.code == "truncated"


@settings(max_examples=200, deadline=None)
@given(noise=st.binary(max_size=400), magic=st.sampled_from([b"", JPEG[:4], PNG[:16], WEBP[:16]]))
def test_noise_is_refused_with_an_image_error_and_nothing_else(noise: bytes, magic: bytes) -> None:
    data = magic + noise
    with pytest.raises(ImageError):
        decode(data, probe(data, ImageLimits(max_pixels=10_000)))


@pytest.mark.parametrize(
    ("suffix", "size", "max_side", "expected"),
    [
        (".jpg", (1920, 1080), 640, (960, 540)),
        (".jpg", (2560, 1440), 640, (640, 360)),
        (".jpg", (1279, 721), 640, (1279, 721)),
        (".jpg", (1281, 721), 640, (641, 361)),
        (".jpg", (640, 360), 640, (640, 360)),
        (".png", (2560, 1440), 640, (2560, 1440)),
    ],
)
def test_scaled_decoding_never_falls_below_the_side_asked_for(
    suffix: str, size: tuple[int, int], max_side: int, expected: tuple[int, int]
) -> None:
    data = encoded(suffix, image=gradient(*size))
    pixels = decode_scaled(data, probe(data), max_side)
    assert (pixels.shape[1], pixels.shape[0]) == expected
    assert pixels.mean() == pytest.approx(gradient(*size).mean(), abs=3)
