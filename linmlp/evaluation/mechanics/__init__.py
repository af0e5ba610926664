"""Potential or calculator and crystal in, properties beside reference values out."""

from linmlp.evaluation.mechanics.differences import Difference
from linmlp.evaluation.mechanics.elastic import ElasticConstants, elastic_constants
from linmlp.evaluation.mechanics.elastic_regression import ElasticRegression, regress_elastic
from linmlp.evaluation.mechanics.elastic_tensor import ElasticTensor, Moduli
from linmlp.evaluation.mechanics.equation_of_state import EquationOfState, equation_of_state, fit_equation_of_state
from linmlp.evaluation.mechanics.phonons import Phonons, Thermal, check_phonopy, phonons
from linmlp.evaluation.mechanics.plots import (
    plot_elastic,
    plot_equation_of_state,
    plot_phonons,
    plot_radial_distribution,
)
from linmlp.evaluation.mechanics.radial import PairDistribution, RadialDistribution, radial_distribution
from linmlp.evaluation.mechanics.surface import Surface, SurfaceEnergies, slab_energy, surface_energies
from linmlp.evaluation.mechanics.vacancy import Vacancy, VacancyEnergies, vacancy_energies

__all__ = [
    "Difference",
    "ElasticConstants",
    "ElasticRegression",
    "ElasticTensor",
    "EquationOfState",
    "Moduli",
    "PairDistribution",
    "Phonons",
    "RadialDistribution",
    "Surface",
    "SurfaceEnergies",
    "Thermal",
    "Vacancy",
    "VacancyEnergies",
    "check_phonopy",
    "elastic_constants",
    "equation_of_state",
    "fit_equation_of_state",
    "phonons",
    "plot_elastic",
    "plot_equation_of_state",
    "plot_phonons",
    "plot_radial_distribution",
    "radial_distribution",
    "regress_elastic",
    "slab_energy",
    "surface_energies",
    "vacancy_energies",
]
