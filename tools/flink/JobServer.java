/** Beam's job server for a Flink that has Beam's jars in its lib folder: no job takes them along. */
public class JobServer {
  public static void main(String[] arguments) throws Exception {
    // The class path is what Beam would send to Flink with every job.
    System.setProperty("java.class.path", "");
    org.apache.beam.runners.flink.FlinkJobServerDriver.main(arguments);
  }
}
