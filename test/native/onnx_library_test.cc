#include <dlfcn.h>
#include <unistd.h>

#include "base/shared_library.h"
#include "onnx_fixture.h"

namespace millrace {
namespace {

// Tests of this file run in order, in one process: those that must fail to load come before the
// first that loads.
class OrtLibraryTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(ort_library_path()))
      GTEST_SKIP() << "ONNX Runtime is not at " << ort_library_path();
  }

  static std::string error_of(const OrtLibrarySource& source) {
    const auto loaded = load_ort_library(source);
    if (loaded.ok()) return "it loaded";
    EXPECT_EQ(loaded.error().code, ErrorCode::kModelLoad);
    return loaded.error().message;
  }
};

TEST_F(OrtLibraryTest, AMissingFileIsNamed) {
  EXPECT_NE(
      error_of({"/nowhere/libonnxruntime.so.1", kOrtVersion}).find("/nowhere/libonnxruntime.so.1"),
      std::string::npos);
}

TEST_F(OrtLibraryTest, AFileThatIsNoLibraryIsNamed) {
  const std::string file = test_model("broken-garbage");
  EXPECT_NE(error_of({file, kOrtVersion}).find(file), std::string::npos);
}

TEST_F(OrtLibraryTest, AnotherLibraryIsSaidNotToBeOnnxRuntime) {
  const std::string other = file_of_function(reinterpret_cast<AnyFunction>(&dlopen));
  EXPECT_NE(error_of({other, kOrtVersion}).find("does not export OrtGetApiBase"),
            std::string::npos);
}

TEST_F(OrtLibraryTest, AnotherVersionIsRefusedWithBothVersionsTheFileAndTheRemedy) {
  const std::string message = error_of({ort_library_path(), "1.24.3"});
  EXPECT_NE(message.find("1.24.3"), std::string::npos);
  EXPECT_NE(message.find(std::string("version ") + kOrtVersion), std::string::npos);
  EXPECT_NE(message.find(ort_library_path()), std::string::npos);
  EXPECT_NE(message.find("install onnxruntime-node@1.24.3"), std::string::npos);
}

TEST_F(OrtLibraryTest, ACopyFromElsewhereThatIsLoadedAlreadyIsReportedAndLeftAlone) {
  const auto folder =
      std::filesystem::temp_directory_path() / ("millrace-foreign-" + std::to_string(getpid()));
  std::filesystem::create_directories(folder);
  const std::string copy = (folder / "libonnxruntime.so.1").string();
  std::filesystem::copy_file(ort_library_path(), copy);
  ASSERT_TRUE(SharedLibrary::open(copy).ok());
  std::filesystem::remove_all(folder);

  const auto loaded = load_ort_library({ort_library_path(), kOrtVersion});
  ASSERT_TRUE(loaded.ok()) << loaded.error().message;
  ASSERT_EQ(loaded.value()->foreign_copies().size(), 1u);
  EXPECT_NE(loaded.value()->foreign_copies()[0].find(copy), std::string::npos);

  const auto model = OnnxModel::load(*loaded.value(), {digits_model("fast"), {}, {}}, {});
  ASSERT_TRUE(model.ok()) << model.error().message;
}

TEST_F(OrtLibraryTest, LoadingAgainGivesTheSameLibrary) {
  const auto first = load_ort_library({ort_library_path(), kOrtVersion});
  const auto second = load_ort_library({"/nowhere/libonnxruntime.so.1", kOrtVersion});
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_EQ(first.value(), second.value());
  EXPECT_EQ(first.value()->path(), ort_library_path());
  EXPECT_EQ(first.value()->version(), kOrtVersion);
}

TEST_F(OrtLibraryTest, AnotherVersionIsRefusedOnceOneIsLoaded) {
  EXPECT_NE(
      error_of({ort_library_path(), "1.31.0"}).find("already runs millrace on version 1.30.0"),
      std::string::npos);
}

}  // namespace
}  // namespace millrace
