using System.Text;
using Broker.Api.JobsDialect;
using Broker.Core.Json;
using Broker.WorkflowFiles;
using Xunit;

namespace Broker.Tests.WorkflowFiles;

/// <summary>Broken variants of files of real life: each is a workflow or a list of problems, and never an exception.</summary>
public sealed class WorkflowFileFuzzTests
{
    private const int Variants = 150;

    private static readonly string[] Pieces =
    [
        "${{ ", " }}", "inputs.x", "matrix.a", "steps.a.outputs.b", "'", "\"", "\n", "  ", "- ", ": ", "{", "}", "[", "]", "&a ", "*a", "<<: ", "~", "|", "|-\n", "if: ", "env: ", "null", "5", "true",
        "\u0001", "é", "😀", "needs: ", "#", "!", "%", "strategy: { matrix: ", "run: ", "`", "$((", "<<E\n",
    ];

    public static TheoryData<string> Names => RealFilesTests.Names;

    [Theory]
    [MemberData(nameof(Names))]
    public void A_broken_file_is_judged_without_an_exception(string name)
    {
        var text = File.ReadAllText(Path.Combine(RealFiles.Folder, $"{name}.yml"));
        var seed = Environment.TickCount;
        var random = new Random(seed);
        for (var i = 0; i < Variants; i++)
        {
            var broken = Break(text, random);
            try
            {
                Judge(broken);
            }
            catch (Exception fault) when (fault is not Xunit.Sdk.XunitException)
            {
                Assert.Fail($"seed {seed}, variant {i}: {fault}\n{broken}");
            }
        }
    }

    private static void Judge(string text)
    {
        var (file, problems) = WorkflowFileReader.Read("f.yml", text);
        Assert.Equal(file is null, problems.Count > 0);
        Assert.All(problems, problem => Assert.True(StorableText.Fits(problem.ToString())));
        if (file is null) return;
        var reading = JobsDocument.Read(file, fromFile: true);
        Assert.Equal(reading.Definition is null, reading.Problems.Count > 0);
    }

    private static string Break(string text, Random random)
    {
        var broken = new StringBuilder(text);
        for (var edits = random.Next(1, 5); edits > 0; edits--)
        {
            var at = random.Next(broken.Length);
            if (random.Next(3) == 0) broken.Remove(at, Math.Min(random.Next(1, 12), broken.Length - at));
            else broken.Insert(at, Pieces[random.Next(Pieces.Length)]);
        }

        return broken.ToString();
    }
}
