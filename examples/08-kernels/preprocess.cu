// Photographs as a model wants them: resized, scaled to 0..1, normalised by channel, and with the channels apart.
//
//   images  rows x IN_HEIGHT x IN_WIDTH x 3 bytes          (NHWC)
//   planes  rows x 3 x OUT_HEIGHT x OUT_WIDTH floats       (NCHW)
//
// Resizing is linear between the four nearest pixels, whose centres lie at halves, as ONNX's Resize does by default. MEAN and
// STD are three floats each, for values from 0 to 1. Launch it with blocks of one dimension, and as many of a row as you
// like: its elements are shared out among the threads.

__device__ float at(const unsigned char* image, int y, int x, int channel) {
  return image[(y * IN_WIDTH + x) * 3 + channel];
}

// Where the centre of a pixel lies in a side that has `from` pixels instead of `to`.
__device__ float centre(int pixel, int from, int to) {
  const float place = (pixel + 0.5f) * from / to - 0.5f;
  return fminf(fmaxf(place, 0.0f), from - 1.0f);
}

__global__ void preprocess(const unsigned char* images, float* planes, unsigned rows) {
  const float mean[3] = {MEAN};
  const float deviation[3] = {STD};
  const int plane = OUT_HEIGHT * OUT_WIDTH;
  const unsigned char* image = images + blockIdx.x * (3ull * IN_HEIGHT * IN_WIDTH);
  float* result = planes + blockIdx.x * (3ull * plane);
  for (int i = blockIdx.y * blockDim.x + threadIdx.x; i < 3 * plane; i += gridDim.y * blockDim.x) {
    const int channel = i / plane;
    const float y = centre(i % plane / OUT_WIDTH, IN_HEIGHT, OUT_HEIGHT);
    const float x = centre(i % OUT_WIDTH, IN_WIDTH, OUT_WIDTH);
    const int top = (int)y;
    const int left = (int)x;
    const int bottom = top + 1 < IN_HEIGHT ? top + 1 : top;
    const int right = left + 1 < IN_WIDTH ? left + 1 : left;
    const float down = y - top;
    const float over = x - left;
    const float above = at(image, top, left, channel) * (1 - over) + at(image, top, right, channel) * over;
    const float below = at(image, bottom, left, channel) * (1 - over) + at(image, bottom, right, channel) * over;
    const float value = above * (1 - down) + below * down;
    result[i] = (value / 255 - mean[channel]) / deviation[channel];
  }
}
