// The K largest of each row, descending, and where they are; of equal ones the first comes first.
//
//   scores  rows x WIDTH floats
//   values  rows x K floats
//   places  rows x K ints
//
// NaN is never among them; where a row has fewer numbers than K, the rest are 0 at place -1. One block a row, of THREADS
// threads, a power of two. K times over, each thread finds the best of its share that was not taken yet, and the block the
// best of these: right for a small K.

struct Scored {
  float score;
  int place;  // -1: none
};

__device__ bool better(const Scored& one, const Scored& other) {
  if (one.place < 0 || other.place < 0) return one.place >= 0;
  return one.score > other.score || (one.score == other.score && one.place < other.place);
}

__global__ void top_k(const float* scores, float* values, int* places, unsigned rows) {
  __shared__ Scored best[THREADS];
  const int thread = threadIdx.x;
  const float* row = scores + blockIdx.x * (unsigned long long)WIDTH;
  Scored last = {0, -1};
  for (int k = 0; k < K; ++k) {
    Scored mine = {0, -1};
    for (int place = thread; place < WIDTH; place += THREADS) {
      const Scored one = {row[place], place};
      const bool open = k == 0 || (last.place >= 0 && better(last, one));
      if (one.score == one.score && open && better(one, mine)) mine = one;
    }
    best[thread] = mine;
    __syncthreads();
    for (int half = THREADS / 2; half > 0; half /= 2) {
      if (thread < half && better(best[thread + half], best[thread])) best[thread] = best[thread + half];
      __syncthreads();
    }
    last = best[0];
    if (thread == 0) {
      values[blockIdx.x * (unsigned long long)K + k] = last.score;
      places[blockIdx.x * (unsigned long long)K + k] = last.place;
    }
    __syncthreads();  // all have read what the next round overwrites
  }
}
