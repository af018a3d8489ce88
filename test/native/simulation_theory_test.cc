// The simulator and queueing theory: Poisson arrivals, service times that are always the same.
#include <gtest/gtest.h>

#include <cmath>

#include "simulated_chain.h"
#include "trial.h"

namespace millrace {
namespace {

constexpr std::size_t kArrivals = 3'000'000 / det::kSeedDivisor;
constexpr double kTolerance = det::kSeedDivisor == 1 ? 0.01 : 0.03;
constexpr Nanos kService = 1'000'000;

// Mean time in queue of M/D/1, in service times (Pollaczek, Khinchine).
double md1(double load) {
  return load / (2 * (1 - load));
}

// The same of M/D/c: C. D. Crommelin, Delay probability formulae when the holding times are
// constant, Post Office Electrical Engineers' Journal 25, 1932. With a the offered traffic and p_i
// the probabilities of a Poisson variable of mean k a,
//   sum over k >= 1 of  [ sum over i >= k c of p_i  -  c / a  sum over i > k c of p_i ]
double mdc(std::size_t servers, double load) {
  const auto c = static_cast<double>(servers);
  const double a = c * load;
  double sum = 0;
  for (int k = 1; k < 5000; ++k) {
    const double mean = k * a;
    const double from = k * c;
    double at = std::exp(from * std::log(mean) - mean - std::lgamma(from + 1));
    double beyond = 0;  // what is more than k c
    for (double i = from + 1, term = at * mean / i; term > 1e-18; term *= mean / ++i) {
      beyond += term;
    }
    const double term = at + beyond - c / a * beyond;
    sum += term;
    if (term < 1e-14) break;
  }
  return sum;
}

// Mean time in queue, in service times.
double simulated_wait(std::size_t replicas, double load) {
  const double gap = static_cast<double>(kService) / (load * static_cast<double>(replicas));
  const std::vector<Nanos> arrivals = poisson_arrivals(kArrivals, gap, 7);
  const auto simulation =
      simulated(simulated_chain(1), arrivals, {simulated_service({{1, kService}}, replicas)});
  double sum = 0;
  for (std::size_t i = 0; i < arrivals.size(); ++i) {
    sum += static_cast<double>(simulation->batches()[i].start - arrivals[i]);
  }
  return sum / static_cast<double>(arrivals.size()) / static_cast<double>(kService);
}

TEST(SimulationTheory, FormulasAgreeWhereBothHold) {
  for (const double load : {0.3, 0.6, 0.9}) EXPECT_NEAR(mdc(1, load), md1(load), 1e-9);
  // About half of what it is in M/M/2, which is load^2 / (1 - load^2), and a little more.
  const double half = 0.8 * 0.8 / (1 - 0.8 * 0.8) / 2;
  EXPECT_GT(mdc(2, 0.8), half);
  EXPECT_LT(mdc(2, 0.8), half * 1.03);
}

TEST(SimulationTheory, WaitsOfOneReplicaAreThoseOfMD1) {
  for (const double load : {0.3, 0.5, 0.7, 0.8}) {
    EXPECT_NEAR(simulated_wait(1, load) / md1(load), 1, kTolerance) << load;
  }
}

TEST(SimulationTheory, WaitsOfTwoReplicasAreThoseOfMD2) {
  for (const double load : {0.5, 0.7, 0.8}) {
    EXPECT_NEAR(simulated_wait(2, load) / mdc(2, load), 1, kTolerance) << load;
  }
}

TEST(SimulationTheory, WaitsOfFiveReplicasAreThoseOfMD5) {
  for (const double load : {0.5, 0.7, 0.8}) {
    EXPECT_NEAR(simulated_wait(5, load) / mdc(5, load), 1, kTolerance) << load;
  }
}

}  // namespace
}  // namespace millrace
