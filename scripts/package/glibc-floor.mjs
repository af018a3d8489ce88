/** The oldest glibc that the Linux packages promise to load with: that of onnxruntime-node. */
export const glibcFloor = [2, 28]
