"""Management grids 网格 as GeoJSON (RFC 7946): which grid a point lies in and who owns it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from shapely import Point, STRtree
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from ...config.errors import ConfigError


class GridOwners(BaseModel):
    """Who answers for the grid on each level; department codes or names, empty for none."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    city: str = ""
    district: str = ""
    street: str = ""


class Grid(BaseModel):
    """One grid's properties."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    id: str = Field(min_length=1, description="网格编号")
    name: str = Field(default="", description="网格名称")
    district: str = Field(min_length=1, description="所属区县")
    street: str = Field(default="", description="所属街道、乡镇")
    owners: GridOwners = GridOwners()


class GridGeometry(BaseModel):
    """Polygon or MultiPolygon; longitude and latitude in degrees."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    type: Literal["Polygon", "MultiPolygon"]
    coordinates: list[Any] = Field(min_length=1)


class GridFeature(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    type: Literal["Feature"]
    properties: Grid
    geometry: GridGeometry


class GridFile(BaseModel):
    """`grids.geojson`."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    type: Literal["FeatureCollection"]
    features: list[GridFeature] = Field(min_length=1)


class GridMap:
    """Grids by place. A point on a shared border lies in both."""

    def __init__(self, features: list[GridFeature], shapes: list[BaseGeometry]) -> None:
        self.grids = tuple(feature.properties for feature in features)
        self._tree = STRtree(shapes)

    def at(self, lon: float, lat: float) -> tuple[Grid, ...]:
        """Grids that cover the point, by id."""
        found = self._tree.query(Point(lon, lat), predicate="intersects")
        return tuple(sorted((self.grids[at] for at in found.tolist()), key=lambda grid: grid.id))


def load_grids(path: Path) -> GridMap:
    """Read and check a file of grids.

    Raises:
        ConfigError: unreadable, not GeoJSON of polygons, a property missing, an id twice, a
            polygon that crosses itself or lies outside longitude and latitude; the text names
            the feature.
    """
    try:
        data = GridFile.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ConfigError(path, 0, f"cannot be read: {error.strerror}") from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ConfigError(path, 0, f"{where}: {first['msg']}") from None
    shapes = [_shape(path, at, feature) for at, feature in enumerate(data.features)]
    ids = [feature.properties.id for feature in data.features]
    for at, grid_id in enumerate(ids):
        if grid_id in ids[:at]:
            raise ConfigError(
                path,
                0,
                f"features.{at}: grid id {grid_id!r} is there twice",
                message_zh=f"第 {at + 1} 个网格的编号 {grid_id} 重复",
            )
    return GridMap(data.features, shapes)


def _shape(path: Path, at: int, feature: GridFeature) -> BaseGeometry:
    try:
        found = shape(feature.geometry.model_dump())
    except (ValueError, TypeError, IndexError) as error:
        raise ConfigError(path, 0, f"features.{at}.geometry: {error}") from None
    west, south, east, north = found.bounds if not found.is_empty else (999.0,) * 4
    if not found.is_valid or not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise ConfigError(
            path,
            0,
            f"features.{at}.geometry: crosses itself, is empty, or is not in degrees",
            message_zh=f"第 {at + 1} 个网格的多边形自相交、为空或不是经纬度",
        )
    return found
