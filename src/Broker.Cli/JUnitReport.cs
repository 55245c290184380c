using System.Globalization;
using System.Xml;
using Broker.Operators;

namespace Broker.Cli;

/// <summary>Writes an ended run as a JUnit file: a suite with a case for each step. Times are in seconds.</summary>
internal static class JUnitReport
{
    public static void Write(string path, RunDetail run, IReadOnlyList<StepSummary> steps)
    {
        try
        {
            using var xml = XmlWriter.Create(path, new() { Indent = true });
            xml.WriteStartElement("testsuites");
            xml.WriteStartElement("testsuite");
            xml.WriteAttributeString("name", RunName.Of(run));
            xml.WriteAttributeString("tests", Text(steps.Count));
            xml.WriteAttributeString("failures", Text(steps.Count(IsFailed)));
            xml.WriteAttributeString("skipped", Text(steps.Count(IsSkipped)));
            xml.WriteAttributeString("time", Seconds(run.DurationMs ?? 0));
            xml.WriteAttributeString("timestamp", run.CreatedAt.UtcDateTime.ToString("s", CultureInfo.InvariantCulture));
            foreach (var step in steps) Write(xml, run.Workflow, step);
            xml.WriteEndElement();
            xml.WriteEndElement();
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new CliException(ExitCodes.Usage, $"--junit: {fault.Message}");
        }
    }

    private static void Write(XmlWriter xml, string workflow, StepSummary step)
    {
        xml.WriteStartElement("testcase");
        xml.WriteAttributeString("classname", workflow);
        xml.WriteAttributeString("name", step.Name);
        xml.WriteAttributeString("time", Seconds(step is { BegunAt: { } begun, EndedAt: { } ended } ? (ended - begun).TotalMilliseconds : 0));
        if (IsFailed(step))
        {
            xml.WriteStartElement("failure");
            xml.WriteAttributeString("type", Plain(step.Error?.Name ?? step.Status));
            xml.WriteAttributeString("message", Plain(step.Error?.Message ?? step.Status));
            xml.WriteEndElement();
        }
        else if (IsSkipped(step))
        {
            xml.WriteStartElement("skipped");
            xml.WriteAttributeString("message", step.Status);
            xml.WriteEndElement();
        }

        xml.WriteEndElement();
    }

    private static bool IsFailed(StepSummary step) => step.Status is "failed";

    private static bool IsSkipped(StepSummary step) => step.Status is not ("failed" or "succeeded");

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Seconds(double milliseconds) => (milliseconds / 1000).ToString("0.000", CultureInfo.InvariantCulture);

    // XML has no character for most control codes.
    private static string Plain(string text) => string.Concat(text.Select(letter => XmlConvert.IsXmlChar(letter) || char.IsSurrogate(letter) ? letter : '\ufffd'));
}
