"""Diffusion and conductivity at several temperatures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from linmlp.evaluation.md.statistics import Estimate
from linmlp.evaluation.transport.arrhenius import ArrheniusFit, fit_arrhenius
from linmlp.evaluation.transport.results import Transport


@dataclass(frozen=True)
class TransportSeries:
    """Results at several temperatures.

    Parameters
    ----------
    results : tuple of Transport
        In the order of the temperatures.
    """

    results: tuple[Transport, ...]

    def arrhenius(self) -> dict[str, ArrheniusFit]:
        """Return Arrhenius fits of all that is above zero at two temperatures or more.

        Returns
        -------
        dict of str to ArrheniusFit
            ``D(Li)`` and so on in cm²/s; ``sigma T`` of the collective conductivity in S K/cm, because the conductivity
            by Nernst and Einstein has 1/T in front.
        """
        series: dict[str, list[tuple[float, Estimate]]] = {}
        for result in self.results:
            t = result.temperature.value
            for element, found in result.diffusion.items():
                if found.is_resolved:
                    series.setdefault(f"D({element})", []).append((t, found.coefficient))
            if result.conductivity is not None and result.conductivity.is_resolved:
                sigma = result.conductivity.collective
                series.setdefault("sigma T", []).append((t, Estimate(sigma.value * t, sigma.error * t)))
        return {
            name: fit_arrhenius(
                [t for t, _ in points], [v for _, v in points], name, "S K/cm" if name == "sigma T" else "cm²/s"
            )
            for name, points in series.items()
            if len({t for t, _ in points}) > 1
        }

    def conductivity_at(self, temperature: float) -> Estimate:
        """Return the collective conductivity at a temperature from its Arrhenius fit.

        Parameters
        ----------
        temperature : float
            K.

        Returns
        -------
        Estimate
            S/cm.

        Raises
        ------
        KeyError
            If the conductivity is above zero at fewer than two temperatures.
        """
        product = self.arrhenius()["sigma T"].at(temperature)
        return Estimate(product.value / temperature, product.error / temperature)

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers, texts and lists."""
        return {
            "results": [result.to_dict() for result in self.results],
            "arrhenius": {name: fit.to_dict() for name, fit in self.arrhenius().items()},
        }

    def __str__(self) -> str:
        return "\n".join([*map(str, self.results), *(f"Arrhenius, {fit}" for fit in self.arrhenius().values())])
